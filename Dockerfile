FROM python:3.11 AS build
WORKDIR /src
COPY pyproject.toml hatch_build.py README.md LICENSE ./
COPY gateway gateway
RUN python -m venv /opt/hearth \
    && HATCH_BUILD_HOOK_ENABLE_CUSTOM=1 /opt/hearth/bin/pip install --no-cache-dir .

FROM python:3.11-slim
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/hearth hearth
COPY --from=build /opt/hearth /opt/hearth
ENV PATH=/opt/hearth/bin:$PATH PYTHONUNBUFFERED=1
USER hearth
WORKDIR /var/lib/hearth
VOLUME /var/lib/hearth
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s CMD ["python", "-c", \
    "import urllib.request as u; u.urlopen('http://127.0.0.1:8080/healthz', timeout=2)"]
ENTRYPOINT ["hearth"]
CMD ["serve", "--config", "/etc/hearth/config.yaml", "--host", "0.0.0.0"]
