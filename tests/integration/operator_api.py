"""The operator's API over its Unix socket."""

import http.client
import json
import os
import socket


class Operator(http.client.HTTPConnection):
    def __init__(self, server):
        super().__init__('cmsd')
        self.path = os.path.join(server.directory, 'operator.sock')

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)

    def get(self, target):
        """The answer's JSON."""
        self.request('GET', target)
        answer = self.getresponse()
        assert answer.status == 200, answer.read()
        return json.loads(answer.read())

    def ask(self, target, body, content_type='application/json', method='POST'):
        """(status, the answer's JSON)"""
        self.request(method, target, body, {'Content-Type': content_type})
        answer = self.getresponse()
        return answer.status, json.loads(answer.read())

    def record(self, address, event):
        return self.ask(f'/v1/accounts/{address.replace("+", "%2B")}/record', json.dumps(event))
