"""Bytes in, what was asked out: a request, and what Hearth has to know of it.

request, head             a request as an edge read it; its line and fields
local                     whether a request can only be meant for this machine
parsed_fields             what the fields tell, read once for all requests that have the same
credentials               those of them in which keys travel, and the same on the way out
endpoint                  which API is called
reader                    a request's body read into a call
call                      who asks for what: the record of it, and what the call sticks to
enduser                   who the end user is
body, form                the fields that are read, of JSON and of forms
textfield, fingerprint    a field that has to be text; a conversation by how it began
"""
