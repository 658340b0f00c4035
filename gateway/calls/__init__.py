"""What a request asks of a model, as far as Hearth has to know it.

reader                    a request's body read into a call
call                      who asks for what: the record of it, and what the call sticks to
enduser                   who the end user is
body, form                the fields that are read, of JSON and of forms
textfield, fingerprint    a field that has to be text; a conversation by how it began
"""
