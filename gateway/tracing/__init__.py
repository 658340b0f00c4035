"""OpenTelemetry spans of model calls; `tracing.tracing` needs the extra `otel`."""
