"""OpenRouter's analytics: any counts, by whom or what, over any time.

openrouter.ai/docs/api/api-reference/analytics. What Hearth has no data for is left out of `meta`,
and an error in a query.

answer, meta              the two endpoints
query                     the body of a query; operators, granularity: words in it
metrics, dimensions       what is counted, and by what
sources, table            rows from the ledger, as coarse as possible, and the table made of them
"""
