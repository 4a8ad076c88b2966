"""Hangup causes: their names, their numbers, and what SIP makes of them.

Owns three tables and the lookups over them. Knows nothing of channels or calls.
"""

#: Name -> number (``switch_call_cause_t`` in FreeSWITCH's switch_types.h). Numbers below 128 are
#: Q.850 causes, the others are FreeSWITCH's own.
NUMBERS: dict[str, int] = {
    "NONE": 0,
    "UNALLOCATED_NUMBER": 1,
    "NO_ROUTE_TRANSIT_NET": 2,
    "NO_ROUTE_DESTINATION": 3,
    "CHANNEL_UNACCEPTABLE": 6,
    "CALL_AWARDED_DELIVERED": 7,
    "NORMAL_CLEARING": 16,
    "USER_BUSY": 17,
    "NO_USER_RESPONSE": 18,
    "NO_ANSWER": 19,
    "SUBSCRIBER_ABSENT": 20,
    "CALL_REJECTED": 21,
    "NUMBER_CHANGED": 22,
    "REDIRECTION_TO_NEW_DESTINATION": 23,
    "EXCHANGE_ROUTING_ERROR": 25,
    "DESTINATION_OUT_OF_ORDER": 27,
    "INVALID_NUMBER_FORMAT": 28,
    "FACILITY_REJECTED": 29,
    "RESPONSE_TO_STATUS_ENQUIRY": 30,
    "NORMAL_UNSPECIFIED": 31,
    "NORMAL_CIRCUIT_CONGESTION": 34,
    "NETWORK_OUT_OF_ORDER": 38,
    "NORMAL_TEMPORARY_FAILURE": 41,
    "SWITCH_CONGESTION": 42,
    "ACCESS_INFO_DISCARDED": 43,
    "REQUESTED_CHAN_UNAVAIL": 44,
    "PRE_EMPTED": 45,
    "FACILITY_NOT_SUBSCRIBED": 50,
    "OUTGOING_CALL_BARRED": 52,
    "INCOMING_CALL_BARRED": 54,
    "BEARERCAPABILITY_NOTAUTH": 57,
    "BEARERCAPABILITY_NOTAVAIL": 58,
    "SERVICE_UNAVAILABLE": 63,
    "BEARERCAPABILITY_NOTIMPL": 65,
    "CHAN_NOT_IMPLEMENTED": 66,
    "FACILITY_NOT_IMPLEMENTED": 69,
    "SERVICE_NOT_IMPLEMENTED": 79,
    "INVALID_CALL_REFERENCE": 81,
    "INCOMPATIBLE_DESTINATION": 88,
    "INVALID_MSG_UNSPECIFIED": 95,
    "MANDATORY_IE_MISSING": 96,
    "MESSAGE_TYPE_NONEXIST": 97,
    "WRONG_MESSAGE": 98,
    "IE_NONEXIST": 99,
    "INVALID_IE_CONTENTS": 100,
    "WRONG_CALL_STATE": 101,
    "RECOVERY_ON_TIMER_EXPIRE": 102,
    "MANDATORY_IE_LENGTH_ERROR": 103,
    "PROTOCOL_ERROR": 111,
    "INTERWORKING": 127,
    "SUCCESS": 142,
    "ORIGINATOR_CANCEL": 487,
    "CRASH": 700,
    "SYSTEM_SHUTDOWN": 701,
    "LOSE_RACE": 702,
    "MANAGER_REQUEST": 703,
    "BLIND_TRANSFER": 800,
    "ATTENDED_TRANSFER": 801,
    "ALLOTTED_TIMEOUT": 802,
    "USER_CHALLENGE": 803,
    "MEDIA_TIMEOUT": 804,
    "PICKED_OFF": 805,
    "USER_NOT_REGISTERED": 806,
    "PROGRESS_TIMEOUT": 807,
    "INVALID_GATEWAY": 808,
    "GATEWAY_DOWN": 809,
    "INVALID_URL": 810,
    "INVALID_PROFILE": 811,
    "NO_PICKUP": 812,
    "SRTP_READ_ERROR": 813,
    "BOWOUT": 814,
    "BUSY_EVERYWHERE": 815,
    "DECLINE": 816,
    "DOES_NOT_EXIST_ANYWHERE": 817,
    "NOT_ACCEPTABLE": 818,
    "UNWANTED": 819,
    "NO_IDENTITY": 820,
    "BAD_IDENTITY_INFO": 821,
    "UNSUPPORTED_CERTIFICATE": 822,
    "INVALID_IDENTITY": 823,
    "STALE_DATE": 824,
    "REJECT_ALL": 825,
}

_NAMES = {number: name for name, number in NUMBERS.items()}

#: Final SIP status that a caller sees (``hangup_cause_to_sip`` in mod_sofia.c); 480 for the rest.
_SIP_STATUS = {
    "UNALLOCATED_NUMBER": 404,
    "NO_ROUTE_TRANSIT_NET": 404,
    "NO_ROUTE_DESTINATION": 404,
    "USER_BUSY": 486,
    "NO_USER_RESPONSE": 408,
    "CALL_REJECTED": 603,
    "NUMBER_CHANGED": 410,
    "REDIRECTION_TO_NEW_DESTINATION": 410,
    "DESTINATION_OUT_OF_ORDER": 502,
    "INVALID_PROFILE": 502,
    "INVALID_NUMBER_FORMAT": 484,
    "INVALID_URL": 484,
    "INVALID_GATEWAY": 484,
    "FACILITY_REJECTED": 501,
    "REQUESTED_CHAN_UNAVAIL": 503,
    "NORMAL_CIRCUIT_CONGESTION": 503,
    "NETWORK_OUT_OF_ORDER": 503,
    "NORMAL_TEMPORARY_FAILURE": 503,
    "SWITCH_CONGESTION": 503,
    "GATEWAY_DOWN": 503,
    "BEARERCAPABILITY_NOTAVAIL": 503,
    "OUTGOING_CALL_BARRED": 403,
    "INCOMING_CALL_BARRED": 403,
    "BEARERCAPABILITY_NOTAUTH": 403,
    "STALE_DATE": 403,
    "BEARERCAPABILITY_NOTIMPL": 488,
    "INCOMPATIBLE_DESTINATION": 488,
    "FACILITY_NOT_IMPLEMENTED": 501,
    "SERVICE_NOT_IMPLEMENTED": 501,
    "RECOVERY_ON_TIMER_EXPIRE": 504,
    "ORIGINATOR_CANCEL": 487,
    "EXCHANGE_ROUTING_ERROR": 483,
    "BUSY_EVERYWHERE": 600,
    "DECLINE": 603,
    "REJECT_ALL": 603,
    "DOES_NOT_EXIST_ANYWHERE": 604,
    "NOT_ACCEPTABLE": 606,
    "UNWANTED": 607,
    "NO_IDENTITY": 428,
    "BAD_IDENTITY_INFO": 429,
    "UNSUPPORTED_CERTIFICATE": 437,
    "INVALID_IDENTITY": 438,
}

#: Cause of a leg that a phone refused (``sofia_glue_sip_cause_to_freeswitch`` in sofia_glue.c).
#: A 3xx with ``outbound_redirect_fatal=true`` ends in REQUESTED_CHAN_UNAVAIL (sofia.c).
_FROM_SIP = {
    status: cause
    for cause, statuses in {
        "REQUESTED_CHAN_UNAVAIL": (300, 301, 302, 305),
        "CALL_REJECTED": (401, 402, 403, 407, 603, 608),
        "UNWANTED": (607,),
        "UNALLOCATED_NUMBER": (404,),
        "NO_ROUTE_DESTINATION": (485, 604),
        "RECOVERY_ON_TIMER_EXPIRE": (408, 504),
        "NUMBER_CHANGED": (410,),
        "INTERWORKING": (413, 414, 416, 420, 421, 423, 505, 513),
        "NO_USER_RESPONSE": (480,),
        "NORMAL_TEMPORARY_FAILURE": (400, 481, 500, 503),
        "USER_BUSY": (486, 600),
        "INVALID_NUMBER_FORMAT": (484,),
        "INCOMPATIBLE_DESTINATION": (488, 606),
        "NETWORK_OUT_OF_ORDER": (502,),
        "SERVICE_UNAVAILABLE": (405,),
        "SERVICE_NOT_IMPLEMENTED": (406, 415, 501),
        "EXCHANGE_ROUTING_ERROR": (482, 483),
        "ORIGINATOR_CANCEL": (487,),
        "NO_IDENTITY": (428,),
        "BAD_IDENTITY_INFO": (429,),
        "UNSUPPORTED_CERTIFICATE": (437,),
        "INVALID_IDENTITY": (438,),
    }.items()
    for status in statuses
}


def parse(text: str) -> str:
    """Return the cause that ``text`` (a name in any case, or a number) stands for.

    Anything unknown is NORMAL_CLEARING, as ``switch_channel_str2cause`` has it.
    """
    if text[:1].isdigit():
        digits = text[: len(text) - len(text.lstrip("0123456789"))]
        return _NAMES.get(int(digits), "UNKNOWN")
    name = text.upper()
    return name if name in NUMBERS else "NORMAL_CLEARING"


def q850(cause: str) -> int:
    """Return the Q.850 number of a cause; 16 (normal clearing) for FreeSWITCH's own causes."""
    number = NUMBERS.get(cause, 16)
    return number if number < 128 else 16


def sip_status(cause: str) -> int:
    """Return the final SIP status that a caller gets when its channel ends with this cause."""
    return _SIP_STATUS.get(cause, 480)


def from_sip(status: int) -> str:
    """Return the cause of a leg whose phone answered with this final SIP status."""
    return _FROM_SIP.get(status, "NORMAL_UNSPECIFIED")


def reason_header(cause: str, elsewhere: bool = False) -> str:
    """Return the SIP Reason value sent with a CANCEL or BYE (``sofia_on_hangup`` in mod_sofia.c).

    ``elsewhere`` is FreeSWITCH's CF_INTERCEPT: somebody else took the call, whatever the cause.
    """
    if elsewhere or cause in ("PICKED_OFF", "LOSE_RACE"):
        return 'SIP;cause=200;text="Call completed elsewhere"'
    number = NUMBERS.get(cause, 0)
    protocol = "Q.850" if 0 < number < 128 else "SIP"
    return f'{protocol};cause={number};text="{cause}"'
