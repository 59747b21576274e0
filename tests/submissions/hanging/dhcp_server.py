"""Takes the port, and then waits for something that never comes. It does not want to end either."""
import signal
import socket

signal.signal(signal.SIGTERM, signal.SIG_IGN)
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as port:
    port.bind(("", 67))
    print("now I wait", flush=True)
    signal.pause()
    while True:
        signal.pause()
