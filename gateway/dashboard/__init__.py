"""The pages: what the API answers, for people. Rendered here, from the same records.

pages                     which page is at which address, and how what it answers is sent
visit, frame              who looks at what, and what all pages have
access/                   signing in and out
activity/, generations/,  a module a page, which reads the ledger, makes a record of what is shown,
users/, providers/        and names the template that shows it; with what only this page needs
formats, charts           how numbers look
"""
