"""How daphne is run, the close codes that are sent outside the consumer, and the time for the last responses."""

# There is no --http-timeout: daphne measures a whole response, and would end an event stream in the middle of a run.
# There is no --proxy-headers: digits_site.web.limits.client_address reads X-Forwarded-For, and only from our proxies.
DEFAULTS = {
    "verbosity": 0,
    "server_name": "",
    "ping_interval": 20,
    "ping_timeout": 15,  # then a viewer that answers no ping is disconnected
    "application_close_timeout": 5,
    "websocket_max_message_size": 128 * 1024,  # five times our largest message
    "websocket_max_frame_size": 4 * 1024,  # clients send a few bytes
}
MESSAGE_TOO_BIG = 1009  # RFC 6455; autobahn sends it for frames and messages over the limits
SERVICE_RESTART = 1012  # registered with IANA for RFC 6455; the server sends it at shutdown
ANSWER_SECONDS = 8  # time to answer the requests in flight at a shutdown, under daphne and under granian
