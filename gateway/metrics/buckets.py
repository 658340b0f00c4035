"""The bounds of the histograms, in milliseconds, as the GenAI conventions advise in seconds.

opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-metrics: `gen_ai.client.operation.duration` and
`gen_ai.server.time_to_first_token`.
"""

from gateway.metrics.snapshot import Histogram

DURATION = (10, 20, 40, 80, 160, 320, 640, 1280, 2560, 5120, 10240, 20480, 40960, 81920)
FIRST_BYTE = (1, 5, 10, 20, 40, 60, 80, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10000)


def cumulative(histogram: Histogram, bounds: tuple[int, ...]) -> list[tuple[str, float]]:
    """Upper bound in seconds -> observations up to it, as Prometheus has them."""
    names = [*(str(bound / 1000) for bound in bounds), "+Inf"]
    counts, sum_so_far = [], 0
    for name, count in zip(names, histogram.buckets, strict=True):
        sum_so_far += count
        counts.append((name, float(sum_so_far)))
    return counts
