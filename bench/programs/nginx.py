"""nginx: one process, consistent hash on a header, as it cannot see into a body."""

from bench import traffic
from bench.installing import debian, output
from bench.program import Launch, Program, Site

_CONFIG = """\
daemon off;
master_process off;
worker_processes 1;
worker_rlimit_nofile 20000;
pid {folder}/nginx.pid;
error_log stderr crit;
events {{ worker_connections 19900; }}
http {{
  access_log off;
  client_max_body_size 64m;
  client_body_buffer_size 2m;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  keepalive_requests 1000000000;
  upstream providers {{
    hash $http_x_user_id consistent;
{servers}
    keepalive 256;
    keepalive_requests 1000000000;
  }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{
      proxy_pass http://providers;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
    }}
  }}
}}
"""


def _install() -> str:
    return output([str(debian("nginx-light", "nginx")), "-v"]).rpartition("/")[2]


def _launch(site: Site) -> Launch:
    servers = "\n".join(f"    server 127.0.0.1:{port};" for port in site.upstreams)
    text = _CONFIG.format(folder=site.folder, servers=servers, port=site.port)
    config = site.file("nginx.conf", text)
    return Launch((str(debian("nginx-light", "nginx")), "-c", str(config)))


NGINX = Program(
    name="nginx",
    origin="Debian nginx-light",
    does="1 process, consistent hash on a header, keep-alive upstreams, no buffering, no log",
    install=_install,
    launch=_launch,
    fields=lambda site: (f"X-User-Id: user_{traffic.USER}",),
)
