"""The programs under test, in the order of the table."""

from bench.programs.haproxy import HAPROXY
from bench.programs.hearth import HEARTH, HEARTH_INTERPRETED, HEARTH_SQLITE
from bench.programs.litellm import LITELLM
from bench.programs.nginx import NGINX
from bench.programs.plain_aiohttp import PLAIN_AIOHTTP
from bench.programs.portkey import PORTKEY
from bench.programs.smg import SMG
from bench.programs.vllm_router import VLLM_ROUTER

PROGRAMS = (
    *(HEARTH, HEARTH_SQLITE, HEARTH_INTERPRETED, NGINX, HAPROXY),
    *(VLLM_ROUTER, SMG, PLAIN_AIOHTTP, PORTKEY, LITELLM),
)
