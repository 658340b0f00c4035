"""What is refused before it is sent.

flags             every policy, asked in order
enforce_user_ids  calls that do not say for whom they are
unknown_addresses calls that would pass through unread
moderation        calls whose user says what may not be said, as usertext reads it
override          what a header may change about a policy
"""
