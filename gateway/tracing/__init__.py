"""OpenTelemetry spans of model calls; `tracing.tracing` needs the extra `otel`.

tracing                   a span of each request, sent to a collector
upstream                  a span of each try at a provider
attributes                what spans say
"""
