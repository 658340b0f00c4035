"""OpenRouter's endpoints about calls, and Hearth's in the same form.

generations, record       single generations
activity, activity_item   counts by day
analytics/                any counts, by whom or what, over any time
endpoint_id               what both call a provider's model
"""
