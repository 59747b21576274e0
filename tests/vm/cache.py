"""The guest's parts, made once a kernel version below build/vm/: Debian's stock kernel, unpacked,
its modules, a static busybox, and an initramfs that finds the host's files.

A version's folder appears under its name only when it is whole, so there is never half of one.
"""
import fcntl
import lzma
import os
import shutil
import struct
import subprocess
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
TREE = HERE.parent.parent
CACHE = TREE / "build" / "vm"
# What it takes to reach the host's files and to speak; the guest loads everything else from there.
MODULES = ("virtio_pci", "virtio_console", "9pnet_virtio", "9p", "overlay")
FORM = "2"  # of what is in a version's folder: another one is made anew


class Missing(Exception):
    """Why there can be no guest; a sentence."""


class Parts:
    """A version's folder: paths of what QEMU and the guest want."""

    def __init__(self, folder):
        self.folder = folder
        self.vmlinux, self.initramfs = folder / "vmlinux", folder / "initramfs"
        self.busybox = folder / "busybox"
        self.modules = next((folder / "modules" / "lib" / "modules").iterdir())


def run(*words, **options):
    """The command's standard output; Missing where it fails, with its last word."""
    try:
        ended = subprocess.run([str(word) for word in words], capture_output=True, check=True, **options)
    except FileNotFoundError as error:
        raise Missing(f"{error.filename} is not installed") from error
    except subprocess.CalledProcessError as error:
        said = (error.stderr or b"").decode(errors="replace").strip().splitlines()
        raise Missing(f"{words[0]}: {said[-1] if said else f'exit status {error.returncode}'}") from error
    return ended.stdout


def stock_kernel():
    """The package of Debian's stock kernel, by name and version, as apt knows it."""
    told = run("apt-cache", "depends", "--no-recommends", "linux-image-amd64").decode()
    names = [line.split()[-1] for line in told.splitlines() if "Depends: linux-image-" in line]
    if not names:
        raise Missing("apt knows no linux-image-amd64: is this Debian for amd64, and was"
                      " `apt-get update` run?")
    return names[0]


def unpack(package, below):
    """Download a package and unpack it: neither needs privilege."""
    with tempfile.TemporaryDirectory(dir=CACHE, prefix="download-") as folder:
        run("apt-get", "-q", "download", package, cwd=folder)
        archive = next(Path(folder).glob("*.deb"))
        run("dpkg-deb", "-x", archive, below)


def unpack_kernel(bzimage, vmlinux):
    """What bzImage would unpack by itself, which an emulated processor is slow at: the boot
    protocol's header says where it is (Documentation/arch/x86/boot.rst)."""
    image = bzimage.read_bytes()
    sectors = image[0x1f1] or 4
    offset, length = struct.unpack_from("<II", image, 0x248)
    start = (sectors + 1) * 512 + offset
    packed = image[start:start + length]
    if not packed.startswith(b"\xfd7zXZ"):
        raise Missing(f"{bzimage.name} is not packed by xz, as Debian's kernels are")
    vmlinux.write_bytes(lzma.LZMADecompressor().decompress(packed))


def with_dependencies(modules):
    """The files of MODULES and what they need, in the order to load them; by modules.dep."""
    needs = {}
    for line in (modules / "modules.dep").read_text().splitlines():
        file, _, rest = line.partition(":")
        needs[file] = rest.split()
    by_name = {Path(file).name.split(".")[0].replace("-", "_"): file for file in needs}
    order = []

    def add(file):
        for each in needs[file]:
            add(each)
        if file not in order:
            order.append(file)

    for name in MODULES:
        if name not in by_name:
            raise Missing(f"the kernel has no module {name}")
        add(by_name[name])
    return [modules / file for file in order]


def make_initramfs(parts, folder):
    """PID 1, busybox and the modules, as the newc archive a kernel unpacks."""
    for each in ("bin", "modules", "proc", "sys", "dev", "host", "share", "top", "new"):
        (folder / each).mkdir(parents=True)
    shutil.copy(parts.busybox, folder / "bin" / "busybox")
    for name in run(parts.busybox, "--list").decode().split():
        if name != "busybox":
            (folder / "bin" / name).symlink_to("busybox")
    files = with_dependencies(parts.modules)
    for file in files:
        shutil.copy(file, folder / "modules")
    (folder / "modules" / "order").write_text("".join(f"{file.name}\n" for file in files))
    shutil.copy(HERE / "init", folder / "init")
    (folder / "init").chmod(0o755)
    names = [str(path.relative_to(folder)) for path in sorted(folder.rglob("*"))]
    with parts.initramfs.open("wb") as out:
        subprocess.run([parts.busybox, "cpio", "-o", "-H", "newc", "-R", "0:0"],
                       input="".join(f"{name}\n" for name in names).encode(), stdout=out,
                       stderr=subprocess.DEVNULL, cwd=folder, check=True)


def make(kernel, folder):
    """Everything of a version's folder."""
    unpack(kernel, folder / "kernel")
    unpack("busybox-static", folder / "tools")
    shutil.copy(folder / "tools" / "bin" / "busybox", folder / "busybox")
    release = kernel.removeprefix("linux-image-")
    unpack_kernel(folder / "kernel" / "boot" / f"vmlinuz-{release}", folder / "vmlinux")
    (folder / "modules" / "lib").mkdir(parents=True)
    (folder / "kernel" / "lib" / "modules").rename(folder / "modules" / "lib" / "modules")
    run(folder / "busybox", "depmod", "-b", folder / "modules", release)
    make_initramfs(Parts(folder), folder / "initramfs.d")
    for each in ("kernel", "tools", "initramfs.d"):
        shutil.rmtree(folder / each)


def parts(tell):
    """The parts for the newest stock kernel, made now where they are missing. tell: is told, in a
    sentence, of what takes long."""
    CACHE.mkdir(parents=True, exist_ok=True)
    kernel = stock_kernel()
    # What makes them decides what they are: an init that was changed makes them anew.
    stamp = f"{kernel}.{FORM}.{(HERE / 'init').stat().st_mtime_ns}"
    with (CACHE / "lock").open("w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (CACHE / stamp).exists():
            return Parts(CACHE / stamp)
        for stale in CACHE.iterdir():
            if stale.is_dir() and not stale.name.startswith("run-"):
                shutil.rmtree(stale, ignore_errors=True)
        if shutil.disk_usage(CACHE).free < 1 << 30:
            raise Missing(f"unpacking a kernel takes 1 GiB, and there is less below {CACHE}")
        tell(f"fetching {kernel} (70 MB, once)")
        folder = Path(tempfile.mkdtemp(dir=CACHE, prefix="making-"))
        try:
            make(kernel, folder)
            os.rename(folder, CACHE / stamp)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return Parts(CACHE / stamp)
