"""How the venue says no: HTTP status, code and message, in one body for REST and one for the WebSocket API."""

from __future__ import annotations


class ApiError(Exception):
    """A refusal as Binance words it. `retry_after_s` goes out as the Retry-After header of 429 and 418."""

    def __init__(self, status: int, code: int, message: str, *, retry_after_s: int | None = None) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.retry_after_s = retry_after_s

    def body(self) -> dict[str, object]:
        return {"code": self.code, "msg": self.message}


def missing_parameter(name: str) -> ApiError:
    return ApiError(400, -1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")


def malformed_parameter(name: str) -> ApiError:
    return ApiError(400, -1130, f"Data sent for parameter '{name}' is not valid.")


def unknown_symbol() -> ApiError:
    return ApiError(400, -1121, "Invalid symbol.")


def bad_api_key_format() -> ApiError:
    return ApiError(401, -2014, "API-key format invalid.")


def bad_api_key() -> ApiError:
    return ApiError(401, -2015, "Invalid API-key, IP, or permissions for action")


def bad_signature() -> ApiError:
    return ApiError(400, -1022, "Signature for this request is not valid.")


def outside_recv_window() -> ApiError:
    return ApiError(400, -1021, "Timestamp for this request is outside of the recvWindow.")


def ahead_of_server() -> ApiError:
    return ApiError(400, -1021, "Timestamp for this request was 1000ms ahead of the server's time.")


def unknown_listen_key() -> ApiError:
    return ApiError(400, -1125, "This listenKey does not exist.")


def order_does_not_exist() -> ApiError:
    return ApiError(400, -2013, "Order does not exist.")


def unknown_order() -> ApiError:
    return ApiError(400, -2011, "Unknown order sent.")
