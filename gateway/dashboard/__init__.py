"""The pages: what the API answers, for people, rendered on the server from the same records.

pages, sending            which page is at which address, and how what it answers is sent
visit, frame              a request for a page and its possible answers; what all pages share
access/                   signing in and out
activity/, generations/,  one module for each page: it reads the ledger, makes a record of what is
users/, providers/        shown, and names its template; beside it what only this page needs
formats, charts           how numbers are shown
addresses                 links from page to page
"""
