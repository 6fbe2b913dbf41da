# SPDX-License-Identifier: BSD-2-Clause
"""A web server of the tests that can lie, on a port of its own: certificates by
openssl in a folder of the caller's, answers byte by byte from a function."""
import os
import socket
import ssl
import subprocess
import threading


def openssl(*words, **more):
    subprocess.run(["openssl", *words], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, **more)


def authority(folder, name):
    """A CA; the file of its certificate."""
    at = os.path.join(folder, name)
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
            at + ".key", "-out", at + ".pem", "-days", "2", "-subj", "/CN=" + name,
            "-addext", "basicConstraints=critical,CA:TRUE")
    return at + ".pem"


def certificate(folder, ca, name, names, days=2):
    """Signed by that CA for these subjectAltNames; days -1: expired. Its files."""
    at = os.path.join(folder, name)
    with open(at + ".ext", "w") as f:
        f.write("subjectAltName=" + names + "\n")
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", at + ".key",
            "-out", at + ".csr", "-subj", "/CN=" + name)
    openssl("x509", "-req", "-in", at + ".csr", "-CA", ca, "-CAkey", ca[:-4] + ".key", "-set_serial", str(id(at) % 10**9),
            "-days", str(days), "-extfile", at + ".ext", "-out", at + ".crt")
    return at + ".crt", at + ".key"


def pin(cert):
    """Of its public key, as curl writes it."""
    text = subprocess.run("openssl x509 -in '%s' -noout -pubkey | openssl pkey -pubin -outform der |"
                          " openssl dgst -sha256 -binary | base64 -w0" % cert, shell=True, check=True,
                          stdout=subprocess.PIPE).stdout
    return "sha256//" + text.decode()


class Web:
    """Serves answer(path, send): send(bytes) as often as it likes, and a
    return of False, or a failed send, ends the connection. cert None: no TLS, and refused at once."""

    def __init__(self, answer, cert, post=None):
        """post(path, head, body, send): in place of answer, for a POST."""
        self.answer, self.post, self.context = answer, post, None
        if cert is not None:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(*cert)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.asked = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                s, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(s,), daemon=True).start()

    def serve(self, s):
        try:
            if self.context is not None:
                s = self.context.wrap_socket(s, server_side=True)
            else:
                s.sendall(whole("", "400 Bad Request"))
            while self.one(s):
                pass
        except (OSError, ValueError):
            pass
        finally:
            s.close()

    def one(self, s):
        text = b""
        while b"\r\n\r\n" not in text:
            more = s.recv(4096)
            if not more:
                return False
            text += more
        path = text.split(b" ")[1].decode()
        self.asked.append(path)
        if text.startswith(b"POST "):
            return self.posted(s, path, *text.split(b"\r\n\r\n", 1)) is not False
        return self.answer(path, s.sendall) is not False

    def posted(self, s, path, head, body):
        fields = dict(f.split(": ", 1) for f in head.decode().split("\r\n")[1:])
        while len(body) < int(fields["Content-Length"]):
            more = s.recv(65536)
            if not more:
                return False
            body += more
        return self.post(path, fields, body, s.sendall)

    def close(self):
        self.socket.close()


def whole(body, code="200 OK", more=""):
    """An answer as it should be."""
    if isinstance(body, str):
        body = body.encode()
    return ("HTTP/1.1 %s\r\nContent-Length: %d\r\n%s\r\n" % (code, len(body), more)).encode() + body
