"""The image, tried on a board of QEMU's: each case starts a disk, looks at the serial line and at the screen, and says what it saw.

Runs in the builder (scripts/image test). A case fails by an exception; the table says which, and how long each took. What a screen
shows is read by tesseract, so that what passes is what a person could read.
"""

import hashlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import unicodedata

WORK = "/work"
BOARD = f"{WORK}/qemu"
RUN = f"{BOARD}/cases"
SECTOR = 512
# TCG on a busy machine: a start takes half a minute, and may take four.
PATIENCE = 240


class Board:
    """One disk, one board; switched on by `on`, off by leaving it."""

    def __init__(self, name, disk):
        self.name, self.disk, self.starts = name, disk, 0
        self.process = None

    def on(self, network="none", clock="utc"):
        self.starts += 1
        self.serial = f"{RUN}/{self.name}-{self.starts}.serial"
        control = f"{RUN}/qmp"
        for old in (self.serial, control):
            if os.path.exists(old):
                os.remove(old)
        command = ["qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a72", "-smp", "2", "-m", "1024"]
        command += ["-bios", "/usr/lib/u-boot/qemu_arm64/u-boot.bin"]
        command += ["-drive", f"if=none,id=disk,file={self.disk},format=raw,cache=writethrough", "-device", "virtio-blk-pci,drive=disk"]
        command += ["-device", "virtio-gpu-pci,xres=800,yres=480", "-device", "virtio-rng-pci"]
        command += ["-device", "virtio-multitouch-pci", "-device", "virtio-keyboard-pci"]
        command += ["-device", "qemu-xhci", "-device", "usb-ccid,id=reader"]
        command += ["-rtc", f"base={clock}"]
        command += ["-nic", network, "-display", "none", "-serial", f"file:{self.serial}"]
        command += ["-qmp", f"unix:{control},server=on,wait=off"]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self.control = self.connect(control)
        return self

    def connect(self, path):
        end = time.monotonic() + 30
        while True:
            control = socket.socket(socket.AF_UNIX)
            try:
                control.connect(path)
                break
            except OSError:
                control.close()
                if time.monotonic() > end:
                    raise
                time.sleep(0.1)
        self.lines = control.makefile("rw")
        self.lines.readline()
        self.ask("qmp_capabilities")
        return control

    def ask(self, command, **arguments):
        self.lines.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self.lines.flush()
        while True:
            answer = json.loads(self.lines.readline())
            if "error" in answer:
                raise RuntimeError(f"{command}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]

    def off(self):
        """As by pulling the plug."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.lines.close()
            self.control.close()
            self.process = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.off()

    def said(self):
        with open(self.serial, errors="replace") as serial:
            return serial.read()

    def until(self, pattern, patience=PATIENCE):
        """Waits until the serial line has said it; the match."""
        end = time.monotonic() + patience
        while True:
            found = re.search(pattern, self.said())
            if found:
                return found
            if self.process.poll() is not None:
                raise AssertionError("the board is off")
            if time.monotonic() > end:
                raise AssertionError(f"« {pattern} » was never said; last: {self.said()[-300:]!r}")
            time.sleep(0.5)

    def dump(self, name):
        picture = f"{RUN}/{self.name}-{name}.png"
        self.ask("screendump", filename=picture, format="png")
        return picture

    def until_shown(self, name, words, patience=PATIENCE):
        """Waits until the screen shows all these words, in any order; the picture stays."""
        end = time.monotonic() + patience
        while True:
            picture = self.dump(name)
            text = read(picture)
            missing = [word for word in words if plain(word) not in text]
            if not missing:
                return picture
            if time.monotonic() > end:
                raise AssertionError(f"the screen never showed {missing}; it says: {text[:400]!r}")
            time.sleep(2)


def plain(text):
    """Without accents, case and spaces: what a reader of pictures gets right."""
    text = unicodedata.normalize("NFD", text.lower())
    return "".join(letter for letter in text if letter.isalnum())


def read(picture):
    from PIL import Image

    image = Image.open(picture).convert("L")
    if image.getextrema()[0] == image.getextrema()[1]:
        return ""
    large = picture + ".large.png"
    image.resize((image.width * 3, image.height * 3), Image.LANCZOS).save(large)
    command = ["tesseract", large, "-", "-l", "fra", "--psm", "11"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    os.remove(large)
    return plain(text)


def fresh(name, settings=None):
    """A disk as it is flashed, with these files as its settings."""
    disk = f"{RUN}/{name}.img"
    subprocess.run(["cp", "--sparse=always", f"{BOARD}/chevet.img", disk], check=True)
    if settings:
        boot = f"{disk}@@{start(disk, 1)}"
        subprocess.run(["mmd", "-i", boot, "::settings"], check=True)
        for file in settings:
            subprocess.run(["mcopy", "-i", boot, file, f"::settings/{os.path.basename(file)}"], check=True)
    return disk


def start(disk, partition):
    """Where it begins, in bytes."""
    said = subprocess.run(["sgdisk", "-i", str(partition), disk], capture_output=True, text=True, check=True).stdout
    return int(re.search(r"First sector: (\d+)", said).group(1)) * SECTOR


def copy_slot(disk):
    """Puts what is in slot A into slot B."""
    for source, target, file in ((2, 3, "boot.img"), (4, 5, "root.img")):
        where = f"seek={start(disk, target)}"
        command = ["dd", f"if={BOARD}/{file}", f"of={disk}", "bs=1M", where, "oflag=seek_bytes", "conv=notrunc", "status=none"]
        subprocess.run(command, check=True)


def overwrite(disk, at, length):
    with open(disk, "r+b") as target:
        target.seek(at)
        target.write(os.urandom(length))


def contents(disk, at):
    """What stands there to the end of the disk."""
    with open(disk, "rb") as source:
        source.seek(at)
        return hashlib.file_digest(source, "sha256").hexdigest()


SETTINGS = [f"{BOARD}/settings/{file}" for file in ("kiosk.toml", "anchors.pem", "ca.pem", "borne.pem", "borne.key")]


def first_start():
    """A disk without settings makes its data partition, and its screen says that it is not set up."""
    with Board("first_start", fresh("first_start")) as board:
        board.on()
        board.until(r"first start: the data partition is made")
        board.until_shown("page", ["réglages"])
        board.until(r"first +A")


def with_settings():
    """With its settings it waits for a card, and does so again after the plug was pulled."""
    with Board("with_settings", fresh("with_settings", SETTINGS)) as board:
        for turn in (1, 2):
            board.on()
            board.until_shown(f"idle-{turn}", ["insérez votre carte", "cabinet des lilas", "non protégée"])
            board.until(r"left +A 3, B 3")
            if turn == 2 and "the data partition is made" in board.said():
                raise AssertionError("the data partition was made anew")
            board.off()


def first_start_cut():
    """The plug is pulled while the data partition is made, at three moments: the next start makes it, and keeps it."""
    with Board("first_start_cut", fresh("first_start_cut", SETTINGS)) as board:
        for moment in (0, 2, 5):
            board.on()
            board.until(r"first start: the data partition is made|Rendering at")
            time.sleep(moment)
            board.off()
        board.on()
        board.until_shown("idle", ["insérez votre carte"])
        board.off()
        board.on()
        board.until_shown("kept", ["insérez votre carte"])
        if "the data partition is made" in board.said():
            raise AssertionError("the data partition was made anew")


def root_damaged():
    """Slot A's root is not what was built: B starts by itself, and stays first."""
    disk = fresh("root_damaged", SETTINGS)
    copy_slot(disk)
    overwrite(disk, start(disk, 4), 4096)
    with Board("root_damaged", disk) as board:
        board.on()
        board.until(r"chevet-boot: slot A, left A=0 B=3")
        board.until(r"chevet-boot: slot B")
        board.until_shown("idle", ["insérez votre carte"])
        board.until(r"first +B")
        board.off()
        board.on()
        board.until(r"chevet-boot: slot B")


def data_damaged():
    """The data partition is not what it was: the screen says so, and nothing is written over it."""
    disk = fresh("data_damaged", SETTINGS)
    with Board("data_damaged", disk) as board:
        board.on()
        board.until_shown("idle", ["insérez votre carte"])
        board.off()
        at = start(disk, 6)
        overwrite(disk, at, 32 << 20)
        before = contents(disk, at)
        board.on()
        board.until_shown("damaged", ["stockage"])
        if contents(disk, at) != before:
            raise AssertionError("the damaged partition was written to")


def wrong_clock():
    """The board's clock is far behind, then far ahead: it starts, and says that the time is not vouched for."""
    with Board("wrong_clock", fresh("wrong_clock", SETTINGS)) as board:
        for year in (1970, 2100):
            board.on(clock=f"{year}-01-02T00:00:00")
            board.until_shown(f"in-{year}", ["insérez votre carte", "heure non vérifiée"])
            board.off()


def reader_unplugged():
    """The reader is unplugged and plugged in again: the screen says so both times."""
    with Board("reader_unplugged", fresh("reader_unplugged", SETTINGS)) as board:
        board.on()
        board.until_shown("idle", ["insérez votre carte"])
        board.ask("device_del", id="reader")
        board.until_shown("absent", ["branchez le lecteur"], 60)
        board.ask("device_add", driver="usb-ccid", id="again")
        board.until_shown("back", ["insérez votre carte"], 60)


def no_way_in():
    """Nobody can log in, on the serial line or by a key of a keyboard."""
    with Board("no_way_in", fresh("no_way_in", SETTINGS)) as board:
        board.on()
        picture = board.until_shown("idle", ["insérez votre carte"])
        for keys in (["ctrl", "alt", "backspace"], ["ctrl", "alt", "f2"], ["ctrl", "alt", "delete"], ["alt", "f3"]):
            board.ask("send-key", keys=[{"type": "qcode", "data": key} for key in keys])
        time.sleep(5)
        board.until_shown("after", ["insérez votre carte"], 20)
        if re.search(r"login:", board.said()):
            raise AssertionError("somebody may log in")
        if "Failed to start" in board.said():
            raise AssertionError("a unit did not start: the firewall may be down")


CASES = [first_start, with_settings, first_start_cut, root_damaged, data_damaged, wrong_clock, reader_unplugged, no_way_in]


def main(names):
    unknown = [name for name in names if name not in [case.__name__ for case in CASES]]
    if unknown:
        print(f"there is no case « {unknown[0]} »; there are: {', '.join(case.__name__ for case in CASES)}", file=sys.stderr)
        return 2
    shutil.rmtree(RUN, ignore_errors=True)
    os.makedirs(RUN)
    failed = 0
    for case in CASES:
        if names and case.__name__ not in names:
            continue
        began = time.monotonic()
        try:
            case()
            outcome = "good"
        except Exception as error:
            outcome, failed = f"FAILED: {error}", failed + 1
        print(f"{case.__name__:16} {time.monotonic() - began:6.0f} s  {outcome}", flush=True)
        disk = f"{RUN}/{case.__name__}.img"
        if os.path.exists(disk):
            os.remove(disk)
    return 1 if failed else 0


sys.exit(main(sys.argv[1:]))
