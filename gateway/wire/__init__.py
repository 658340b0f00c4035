"""HTTP/1.1 on both sides of the proxy, as bytes and connections.

to clients     edge               the fast edge, which reads what is hot: request_head, incoming,
                                  wire_answer, answer_head
               aiohttp_edge       everything else, on aiohttp_protocol; conformance, host and
                                  framing see to what aiohttp lets through
               listener           what connections share, and how all of them end
               trusted_proxies    who calls, where a proxy is in front
               downstream         what either edge offers the proxy to answer with
               outbox             what goes out at the end of a turn, once its records are safe
               unsent             what has gone out and has not reached its client
               limits, refusal    how slow and how large a client may be, and what it is told then
to providers   upstream           keep-alive connections: connection, answer_parser, response
               keepalive          what asks after a provider that is silent
both           headers, via       what becomes of fields on the way through
               alarm              deadlines that move with every read
               driver             runs a call without a task, in the callbacks of what it waits for
"""
