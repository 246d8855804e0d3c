#!/usr/bin/env python3
"""A program as they were written for this market years ago: rents a number, waits for the code, prints it.

Usage: old_program.py URL KEY SERVICE COUNTRY [SECONDS]

Knows nothing of the server but the protocol. Standard library only. Exit codes: 0 code printed, 2 wrong usage, 3 the
server refused, 4 no code came in time, 5 the server could not be reached.
"""

import sys
import time
import urllib.error
import urllib.parse
import urllib.request

ERROR_MARKS = ("NO_", "BAD_", "ERROR", "WRONG_", "BANNED", "DENIED", "LIMIT")


class Refused(Exception):
    pass


class Client:
    def __init__(self, url, key):
        self.url = url
        self.key = key

    def ask(self, action, **parameters):
        parameters = {"api_key": self.key, "action": action, "ref": "12345", **parameters}
        # everything in the query, and a POST without a body, as many of them do it
        address = self.url + "?" + urllib.parse.urlencode(parameters)
        with urllib.request.urlopen(urllib.request.Request(address, data=b""), timeout=30) as reply:
            text = reply.read().decode("utf-8").strip()
        # errors are found by searching the whole reply, before anything else is read
        if any(mark in text for mark in ERROR_MARKS):
            raise Refused(action + ": " + text)
        return text

    def balance(self):
        word, amount = self.ask("getBalance").split(":")
        if word != "ACCESS_BALANCE":
            raise Refused(word)
        return float(amount)

    def number(self, service, country):
        # three parts at every colon, and an id that is a number
        word, activation, phone = self.ask("getNumber", service=service, country=country, forward=0).split(":")
        if word != "ACCESS_NUMBER" or not phone.isdigit():
            raise Refused(word)
        return int(activation), phone

    def code(self, activation, seconds):
        end = time.time() + seconds
        while time.time() < end:
            parts = self.ask("getStatus", id=activation).split(":")
            if parts[0] == "STATUS_OK":
                word, code = parts
                return code
            if parts[0] == "STATUS_CANCEL":
                raise Refused("the activation was cancelled")
            time.sleep(1)
        return None


def main(arguments):
    if len(arguments) not in (4, 5):
        print(__doc__, file=sys.stderr)
        return 2
    url, key, service, country = arguments[:4]
    seconds = float(arguments[4]) if len(arguments) == 5 else 1200
    if len(key) != 32:
        print("the key must have 32 characters", file=sys.stderr)
        return 2
    client = Client(url, key)
    try:
        before = client.balance()
        activation, phone = client.number(service, country)
        client.ask("setStatus", id=activation, status=1)
        code = client.code(activation, seconds)
        if code is None:
            client.ask("setStatus", id=activation, status=8)
            return 4
        done = client.ask("setStatus", id=activation, status=6)
        if done != "ACCESS_ACTIVATION":
            raise Refused(done)
        paid = before - client.balance()
    except Refused as refused:
        print(refused, file=sys.stderr)
        return 3
    except (urllib.error.URLError, OSError) as error:
        print(type(error).__name__, file=sys.stderr)
        return 5
    print("phone", phone)
    print("paid", int(paid))
    print("code", code)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
