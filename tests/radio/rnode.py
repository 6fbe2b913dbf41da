# SPDX-License-Identifier: BSD-2-Clause
"""An RNode as its host sees it (reticulum-transport.md 10.8, 10.9): bytes of
the line in, bytes of the line out, one or several radios on the air."""

import hashlib

from . import lora
from .channel import note_of
from .kiss import Reader, frame
from .radio import LONG_S, SHORT_S, Csma

DATA, FREQUENCY, BANDWIDTH, TXPOWER, SF, CR, STATE, LOCK, DETECT = range(0x00, 0x09)
LEAVE, ST_ALOCK, LT_ALOCK, READY = 0x0A, 0x0B, 0x0C, 0x0F
SEL_INT = 0x1F
STAT_RX, STAT_TX, STAT_RSSI, STAT_SNR, STAT_CHTM, STAT_PHYPRM, STAT_BAT, STAT_CSMA, STAT_TEMP = range(0x21, 0x2A)
BLINK, RANDOM, FB_EXT, FB_READ, FB_WRITE, BT_CTRL = 0x30, 0x40, 0x41, 0x42, 0x43, 0x46
BOARD, PLATFORM, MCU = 0x47, 0x48, 0x49
FW_VERSION, ROM_READ, ROM_WRITE, RESET = 0x50, 0x51, 0x52, 0x55
DISP_READ, INTERFACES, ERROR = 0x66, 0x71, 0x90

DETECT_ASK, DETECT_ANSWER, RESET_BYTE = 0x73, 0x46, 0xF8
ERR_INITRADIO, ERR_TXFAILED, ERR_EEPROM_LOCKED, ERR_QUEUE_FULL, ERR_MEMORY_LOW, ERR_MODEM_TIMEOUT = range(1, 7)
AVR, ESP32, NRF52 = 0x90, 0x80, 0x70
MCU_ESP32, MCU_NRF52 = 0x81, 0x71
SX1276, SX1262, SX1280 = 0x01, 0x11, 0x21

BANDWIDTHS = (7800, 10400, 15600, 20800, 31250, 41700, 62500, 125000, 250000, 500000)
BANDWIDTHS_2G4 = (203125, 406250, 812500, 1625000)
TXPOWER_MOST = {SX1276: 17, SX1262: 22, SX1280: 20}
PRODUCT_RNODE, MODEL_A9 = 0x03, 0xA9  # 820 to 1020 MHz, SX1276
ROM_SIZE, ROM_SIGNATURE, ROM_LOCK, ROM_LOCKED = 296, 0x1B, 0x9B, 0x73
SLOT_MS = (24, 100)  # at least, at most; between them:
SLOT_SYMBOLS = 12
SENSE_SYMBOLS = 5  # of a preamble, until a receiver knows
QUEUE_BYTES, QUEUE_PACKETS = 6144, 200
STATUS_S = 1.0


class LoraRadio(Csma):
    """One transceiver. It speaks to its host through device.say(self, ...)."""

    def __init__(self, device, air, name, chip=SX1276, burst=1):
        self.device, self.chip = device, chip
        super().__init__(air, name, burst)
        self.forget()

    def forget(self):
        self.frequency = self.bandwidth = self.txpower = self.sf = 0
        self.cr = 5
        self.st_alock = self.lt_alock = 0
        self.on = False
        self.full = 0
        self.received = self.transmitted = 0
        self._half = None
        self.tune(None)

    def tuning(self):
        return lora.Tuning(self.frequency, self.bandwidth, self.sf, self.cr)

    def complete(self):
        return bool(self.frequency and self.bandwidth and 5 <= self.sf <= 12 and 5 <= self.cr <= 8)

    def retune(self):
        self.tune(self.tuning().channel() if self.on else None)

    def slot_s(self):
        slot = int(SLOT_SYMBOLS * lora.symbol_s(self.tuning()) * 1000)
        return min(max(slot, SLOT_MS[0]), SLOT_MS[1]) / 1000

    def locked(self):
        now = self.clock.now
        return bool((self.st_alock and self.sent_use.share(now, SHORT_S) * 10000 >= self.st_alock) or
                    (self.lt_alock and self.sent_use.share(now, LONG_S) * 10000 >= self.lt_alock))

    def may(self):
        return not self.locked()

    def packet(self, data):
        """From the host."""
        if not self.on or not data:
            return
        if len(self.queue) >= QUEUE_PACKETS or self.queued_bytes + len(data) > QUEUE_BYTES:
            self.full += 1
            self.device.queue_full(self)
            return
        self.put(data)

    def parts(self, packet, first, last):
        t = self.tuning()
        note = note_of(self.air, packet[:lora.MOST])
        sense = SENSE_SYMBOLS * lora.symbol_s(t)
        self.transmitted += 1
        return [(d, lora.frame_s(t, len(d)), sense, {**note, "part": i})
                for i, d in enumerate(lora.divide(packet, self.air.random.randrange(16)))]

    def sent(self):
        self.device.sent(self)

    def heard(self, data, rssi, snr, start, end):
        self.heard_use.add(start, end)
        head, body = data[0], data[1:]
        if head & lora.SPLIT:
            if self._half is None or self._half[0] != head:
                self._half = (head, body)
                return
            body = self._half[1] + body
        self._half = None
        self.received += 1
        self.device.heard(self, body, rssi, snr)


class Rnode:
    """One device. write(bytes) is set by whoever carries its line.

    flow: READY after each packet that has gone out (what asks for it does so
    only in its own configuration, so it is always said).
    image: of its EEPROM. battery: (state, per cent) or None; temperature: °C or None.
    """

    def __init__(self, air, name, chips=(SX1276,), platform=ESP32, mcu=MCU_ESP32, version=(1, 74), image=None,
                 burst=1, battery=None, temperature=None, queue_full_error=False, boot_s=0.5):
        self.air, self.clock, self.name = air, air.clock, name
        self.platform, self.mcu, self.version = platform, mcu, version
        self.multi = len(chips) > 1
        names = [f"{name}.{i}" for i in range(len(chips))] if self.multi else [name]
        self.radios = [LoraRadio(self, air, n, chip, burst) for n, chip in zip(names, chips)]
        self.rom = bytearray(rom() if image is None else image)
        self.battery, self.temperature = battery, temperature
        self.queue_full_error, self.boot_s = queue_full_error, boot_s
        self.write = lambda data: None
        self.seen = []  # (command, data) of the host
        self.framebuffer = bytearray(512)
        self._ticking = None
        self._reset()

    def _reset(self):
        self.selected = self.spoken = 0
        self.reader = Reader()
        self.alive = True
        self.clock.cancel(self._ticking)
        self._ticking = None
        for r in self.radios:
            r.forget()

    def powered(self):
        """Plugged in, so it had no power before."""
        self._reset()

    # to the host

    def answer(self, command, data=b""):
        self.write(frame(command, data))

    def say(self, radio, command, data):
        """Of one radio; with several, after the word which one."""
        index = self.radios.index(radio)
        out = frame(command, data)
        if self.multi and command not in (DATA, STAT_SNR):
            out = frame(SEL_INT, bytes([index])) + out
        self.write(out)

    def heard(self, radio, packet, rssi, snr):
        self.say(radio, STAT_RSSI, bytes([min(max(rssi + 157, 0), 255)]))
        self.say(radio, STAT_SNR, bytes([min(max(int(snr * 4), -128), 127) & 0xFF]))
        self.say(radio, DATA, packet)

    def sent(self, radio):
        self.say(radio, READY, b"\x01")

    def queue_full(self, radio):
        if self.queue_full_error:
            self.answer(ERROR, bytes([ERR_QUEUE_FULL]))

    def status(self, radio):
        now = self.clock.now
        own = [radio.sent_use.share(now, w) for w in (SHORT_S, LONG_S)]
        load = [own[i] + radio.heard_use.share(now, w) for i, w in enumerate((SHORT_S, LONG_S))]
        data = b"".join(min(round(v * 10000), 10000).to_bytes(2, "big") for v in own + load)
        if not self.multi:
            data += bytes([157 - 110 if not self.air.busy(radio) else 157 - 80, 157 - 110, 0xFF])
        self.say(radio, STAT_CHTM, data)

    def parameters(self, radio):
        t = radio.tuning()
        symbol = lora.symbol_s(t)
        slot = radio.slot_s()
        values = [symbol * 1e6, 1 / symbol, lora.preamble(t), lora.preamble(t) * symbol * 1000, slot * 1000]
        if not self.multi:
            values.append(2 * slot * 1000)
        self.say(radio, STAT_PHYPRM, b"".join(min(int(v), 65535).to_bytes(2, "big") for v in values))
        self.say(radio, STAT_CSMA, bytes([radio.band(), *radio.window()]))

    def _tick(self):
        self._ticking = None
        on = [r for r in self.radios if r.on]
        if not on:
            return
        for r in on:
            self.status(r)
        if self.battery is not None:
            self.answer(STAT_BAT, bytes(self.battery))
        if self.temperature is not None:
            self.answer(STAT_TEMP, bytes([self.temperature + 120]))
        self._ticking = self.clock.after(STATUS_S, self._tick)

    # from the host

    def feed(self, data):
        if not self.alive:
            return
        for command, body in self.reader.feed(data):
            self.seen.append((command, body))
            del self.seen[:-1000]
            self.command(command, body)
            if not self.alive:
                return

    def command(self, command, body):
        radio = self.radios[self.selected]
        if command == SEL_INT and body and body[0] < len(self.radios):
            self.selected = body[0]
        elif command == DATA:
            radio.packet(body)
        elif command in (FREQUENCY, BANDWIDTH) and len(body) == 4:
            self.set_hz(radio, command, int.from_bytes(body, "big"))
        elif command in (TXPOWER, SF, CR, STATE) and len(body) == 1:
            self.set_byte(radio, command, body[0])
        elif command in (ST_ALOCK, LT_ALOCK) and len(body) == 2:
            setattr(radio, "st_alock" if command == ST_ALOCK else "lt_alock", int.from_bytes(body, "big"))
            self.say(radio, command, body)
        elif command == RESET and body == bytes([RESET_BYTE]):
            self.restart()
        elif command == FB_WRITE and len(body) == 9 and body[0] < 64:
            self.framebuffer[body[0] * 8:body[0] * 8 + 8] = body[1:]
        elif command == ROM_WRITE and len(body) == 2:
            self.rom[body[0]] = body[1]
        else:
            self.query(command, body)

    def query(self, command, body):
        if command == DETECT and body == bytes([DETECT_ASK]):
            self.answer(DETECT, bytes([DETECT_ANSWER]))
        elif command == FW_VERSION:
            self.answer(FW_VERSION, bytes(self.version))
        elif command == PLATFORM:
            self.answer(PLATFORM, bytes([self.platform]))
        elif command == MCU:
            self.answer(MCU, bytes([self.mcu]))
        elif command == INTERFACES:
            for i, r in enumerate(self.radios):
                self.answer(INTERFACES, bytes([i, r.chip]))
        elif command == RANDOM:
            self.answer(RANDOM, bytes([self.air.random.randrange(256)]))
        elif command == FB_READ and body == b"\x01":
            self.answer(FB_READ, self.framebuffer)
        elif command == DISP_READ and body == b"\x01":
            self.answer(DISP_READ, bytes(1024))
        elif command == ROM_READ:
            self.answer(ROM_READ, self.rom)

    def set_hz(self, radio, command, value):
        if command == FREQUENCY:
            if value:
                radio.frequency = value
            value = radio.frequency
        else:
            known = BANDWIDTHS_2G4 if radio.chip == SX1280 else BANDWIDTHS
            if value:
                radio.bandwidth = min((b for b in known if b >= value), default=known[-1])
            value = radio.bandwidth
        radio.retune()
        self.say(radio, command, value.to_bytes(4, "big"))

    def set_byte(self, radio, command, value):
        if command == TXPOWER:
            signed = value - 256 if self.multi and value > 127 else value
            if value != 0xFF or self.multi:
                radio.txpower = min(signed, TXPOWER_MOST[radio.chip])
            self.say(radio, command, bytes([radio.txpower & 0xFF]))
            return
        if command == STATE:
            self.set_state(radio, value)
            return
        low, high = (5, 12) if command == SF else (5, 8)
        name = "sf" if command == SF else "cr"
        if value != 0xFF:
            setattr(radio, name, min(max(value, low), high))
        radio.retune()
        self.say(radio, command, bytes([getattr(radio, name)]))

    def set_state(self, radio, value):
        if value == 1 and not radio.complete():
            self.answer(ERROR, bytes([ERR_INITRADIO]))
            return
        began = value == 1 and not radio.on
        if value in (0, 1):
            radio.on = value == 1
            radio.retune()
        self.say(radio, STATE, bytes([int(radio.on)]))
        if began:
            self.parameters(radio)
        if began and self._ticking is None:
            self._ticking = self.clock.after(STATUS_S, self._tick)

    def restart(self):
        """All is forgotten; for boot_s it is dead, then it says so."""
        self._reset()
        self.alive = False
        self.clock.after(self.boot_s, self._booted)

    def _booted(self):
        self.alive = True
        self.answer(RESET, bytes([RESET_BYTE]))


def rom(product=PRODUCT_RNODE, model=MODEL_A9, hardware=1, serial=1, made=1700000000, locked=True):
    """What a maker wrote into it: who it is, a checksum of that, a signature
    (none here: rnodeconf calls such a device unverified), the lock. TNC mode
    (what follows the lock) is off."""
    who = bytes([product, model, hardware]) + serial.to_bytes(4, "big") + made.to_bytes(4, "big")
    image = bytearray(b"\xff" * ROM_SIZE)
    image[:ROM_SIGNATURE] = who + hashlib.md5(who).digest()
    image[ROM_SIGNATURE:ROM_LOCK] = bytes(ROM_LOCK - ROM_SIGNATURE)
    if locked:
        image[ROM_LOCK] = ROM_LOCKED
    return image
