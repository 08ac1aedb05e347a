# SPDX-License-Identifier: Apache-2.0
"""Serves a folder on a free port of this machine, with some files replaced or missing."""
import functools
import http.server
import threading


class Site:
    """To be used in `with`. `instead` names files and their bytes; None: the server has no such file."""

    def __init__(self, folder, instead=None, port=0):
        instead = instead or {}

        class Handler(http.server.SimpleHTTPRequestHandler):
            def do_GET(self):
                name = self.path.lstrip("/")
                if name not in instead:
                    super().do_GET()
                elif instead[name] is None:
                    self.send_error(404)
                else:
                    self.send_response(200)
                    self.send_header("Content-Type", self.guess_type(name or "index.html"))
                    self.send_header("Content-Length", str(len(instead[name])))
                    self.end_headers()
                    self.wfile.write(instead[name])

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass  # the browser has left

        self.server = Server(("127.0.0.1", port), functools.partial(Handler, directory=folder))
        self.port = self.server.server_port
        self.url = f"http://127.0.0.1:{self.port}/"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def stop(self):
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
