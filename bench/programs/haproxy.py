"""HAProxy: one thread, consistent hash on the body's `user`."""

from bench.installing import debian, output
from bench.program import Launch, Program, Site

_CONFIG = """\
global
  nbthread 1
  maxconn 9900
  ulimit-n 19990
defaults
  mode http
  timeout connect 5s
  timeout client 120s
  timeout server 120s
  timeout http-request 10s
  option http-buffer-request
  option http-no-delay
  http-reuse always
frontend clients
  bind 127.0.0.1:{port} backlog 4096
  default_backend providers
backend providers
  balance hash req.body,json_query('$.user')
  hash-type consistent
{servers}
"""


def _install() -> str:
    return output([str(debian("haproxy", "haproxy")), "-v"]).split()[2]


def _launch(site: Site) -> Launch:
    servers = "\n".join(
        f"  server provider-{number} 127.0.0.1:{port}" for number, port in enumerate(site.upstreams)
    )
    config = site.file("haproxy.cfg", _CONFIG.format(port=site.port, servers=servers))
    return Launch((str(debian("haproxy", "haproxy")), "-db", "-f", str(config)))


HAPROXY = Program(
    name="HAProxy",
    origin="Debian haproxy",
    does="1 thread, consistent hash on body `user` (of what fits its 16 KB buffer), no log",
    install=_install,
    launch=_launch,
)
