"""An FTP server that is right but for one thing: a file ends with the first 64 KiB of it."""
import os
import socket
import threading

PLACES, WAITING = 3, 2
line, turn = [], threading.Condition()


def serve(control, ahead):
    def reply(text):
        control.sendall(text.encode() + b"\r\n")

    def send(data):
        reply("150 Here it comes.")
        connection, _ = passive.accept()
        with connection:
            connection.sendall(data)
        reply("226 Done.")

    passive, me = None, control.getsockname()[0]
    if ahead >= PLACES:
        reply(f"220-You are number {ahead - PLACES + 1} in line.")
    with turn:
        turn.wait_for(lambda: line.index(control) < PLACES)
    reply("220 Welcome.")
    for command in control.makefile(encoding="utf-8", newline="\r\n"):
        verb, _, name = command.strip().partition(" ")
        verb, path = verb.upper(), os.path.join("files", os.path.basename(name))
        if verb in ("PASV", "EPSV"):
            passive = socket.create_server((me, 0))
            port = passive.getsockname()[1]
            numbers = ",".join(me.split(".") + [str(port // 256), str(port % 256)])
            reply(f"227 At ({numbers})." if verb == "PASV" else f"229 At (|||{port}|).")
        elif verb == "RETR" and not os.path.isfile(path):
            reply("550 There is no such file.")
        elif verb == "RETR" and passive:
            with open(path, "rb") as file:
                send(file.read(65536))  # the mistake: only one read
        elif verb in ("LIST", "NLST") and passive:
            send("".join(f"{entry}\r\n" for entry in os.listdir("files")).encode())
        elif verb == "QUIT":
            reply("221 Goodbye.")
            return
        else:
            known = {"USER": "331 And the password?", "PASS": "230 Come in.", "TYPE": "200 So it is.",
                     "NOOP": "200 Yes.", "SYST": "215 UNIX Type: L8", "PWD": '257 "/"'}
            reply(known.get(verb, "502 This is not a large server."))


def attend(control, ahead):
    try:
        with control:
            serve(control, ahead)
    except OSError:
        pass
    with turn:
        line.remove(control)
        turn.notify_all()


def main():
    with socket.create_server(("", 21)) as server:
        while True:
            control, address = server.accept()
            print("from", *address, flush=True)
            with turn:
                ahead = len(line)
                if ahead >= PLACES + WAITING:
                    control.sendall(b"421 Too many.\r\n")
                    control.close()
                    continue
                line.append(control)
            threading.Thread(target=attend, args=(control, ahead), daemon=True).start()


main()
