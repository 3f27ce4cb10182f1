"""Who else works while the crash test's server is killed, and what each of them is owed: a Deferrer, a Recorder, a
Device, a Sharer and a Referrer an account, and one Limited.
"""

import email.utils
import http.client
import json
import random
import re
import socket
import sys
import time
import traceback

import imap_wire as wire
from operator_api import Operator

LARGE = 700_000          # longer than one chunk of a body


def uid_list(text):
    """'3:5,9' -> [3, 4, 5, 9]"""
    uids = []
    for part in text.split(','):
        first, _, last = part.partition(':')
        uids += range(int(first), int(last or first) + 1)
    return uids


def flags_told(answer):
    """{uid: flags} of an answer's FETCH lines."""
    return {int(re.search(rb'UID (\d+)', row).group(1)): frozenset(re.search(rb'FLAGS \(([^)]*)\)', row).group(1).split()) - {b'\\Recent'}
            for row in wire.fetched(answer).values()}


def fetch_flags(client):
    """Of all messages of the selected folder; None: it is not there any more."""
    answer = client.command('UID FETCH 1:* (UID FLAGS)')
    return flags_told(answer) if answer.status == 'OK' else None


def list_folders(client, prefix):
    listed = client.ok(f'LIST "" "{prefix}/*"' if prefix else 'LIST "" *').all(rb'\* LIST \(([^)]*)\) "/" "?([^"\r]*)"?\r\n')
    return [m.group(2).decode() for m in listed if b'noselect' not in m.group(1).lower()]


class Actor:
    """One client: works until its connection breaks. `error` says what went wrong, but for the kill."""

    BROKEN = wire.Closed        # what it sees of a kill

    def __init__(self, name, account, seed, killing):
        self.name, self.account, self.killing = name, account, killing
        self.random = random.Random(seed)
        self.error = None

    def work(self, server, done):
        """`done()` is called after each acknowledged operation."""
        try:
            self.act(server, done)
        except self.BROKEN as error:
            if not self.killing.is_set():
                self.error = f'{self.name}: the server closed the connection before it was killed ({error!r})'
                done()
        except Exception as error:
            self.error = f'{self.name}: {type(error).__name__} {error}'
            traceback.print_exc(file=sys.stdout)
            done()

    def act(self, server, done):
        """For ever."""
        raise NotImplementedError


class Deferrer(Actor):
    """A Participating Function hands over deferred messages that expire within seconds, and their owner reads some
    of them. What was read stays, whatever happens; what has expired never comes back."""

    FOLDER = 'deferred'
    PF, PASSWORD = 'sip:pf@example.com', 'secret of the pf'

    def __init__(self, account, seed, killing):
        super().__init__('deferred', account, seed, killing)
        self.kept = {}          # uid -> token, of what was read: the octets came
        self.gone = set()       # UIDs that were seen to be gone
        self.counter = 0

    def act(self, server, done):
        with wire.Client(server.host, server.port).login_for(self.account.user, self.PF, self.PASSWORD) as pf, \
                wire.Client(server.host, server.port).login(self.account.user, self.account.password) as owner:
            while True:
                self.step(pf, owner)
                done()

    def step(self, pf, owner):
        self.counter += 1
        token = f'deferred-{self.counter}'
        expires = int(time.time()) + self.random.randrange(2, 5)      # a header's time has no parts of a second
        octets = f'Subject: {token}\r\nExpires: {email.utils.formatdate(expires)}\r\n\r\n{token}\r\n'.encode()
        answer = pf.append(self.FOLDER, octets)
        if answer.status == 'NO' and 'has expired already' in answer.text and time.time() >= expires:
            return      # a busy machine took that long to hand it over
        assert answer.status == 'OK', f'{answer.tagged!r}'
        uid = int(answer.code('APPENDUID').split()[1])
        if self.random.random() < 0.5:
            uid = max(1, uid - self.random.randrange(100))      # one that may be about to expire
        owner.ok(f'SELECT {self.FOLDER}')
        # News of the flags of the same message may follow its octets.
        bodies = owner.ok(f'UID FETCH {uid} (UID BODY.PEEK[TEXT])').all(rb'\* \d+ FETCH \((.*BODY\[TEXT\].*)\)\r\n$')
        if bodies:
            assert uid not in self.gone, f'UID {uid} is back'
            self.kept[uid] = wire.literal(bodies[0].group(1)).decode().strip()
        else:
            assert uid not in self.kept, f'UID {uid} was read, and is gone'
            self.gone.add(uid)

    def verify(self, client):
        text = b''.join(client.ok(f'EXAMINE {self.FOLDER}').untagged)
        there = {}
        if int(re.search(rb'(\d+) EXISTS', text).group(1)):
            # By UID: some expire meanwhile, and a UID that is gone is no error.
            for row in wire.fetched(client.ok('UID FETCH 1:* (UID FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])')).values():
                uid = int(re.search(rb'UID (\d+)', row).group(1))
                there[uid] = (re.search(rb'Subject: (\S+)', row).group(1).decode(), b'$Deferred' in row)
        for uid, token in self.kept.items():
            if there.get(uid) != (token, False):
                return f'deferred UID {uid} ({token}) was read, there is {there.get(uid)}'
        back = self.gone & set(there)
        return f'deferred UIDs {sorted(back)} had expired, and are back' if back else None


class Recorder(Actor):
    """Tells of events, some of them again: what was acknowledged is there, once and where it was said to be; what was
    not may be sent again."""

    BROKEN = (http.client.HTTPException, OSError)

    def __init__(self, account, seed, killing):
        super().__init__('record', account, seed, killing)
        self.acknowledged = {}      # number of the event -> (folder, uid, emailid)
        self.in_flight = None
        self.counter = 0

    def event(self, number):
        """Follows from its number."""
        group = number % 3 == 0
        head = {'direction': 'received', 'from': f'tel:+1555020{number % 7:04}', 'group': group,
                'date': '2016-03-02T09:15:01Z', 'conversation_id': f'group-{number % 4}',
                'contribution_id': f'session-{number % 15}' if group else f'c-{number}', 'imdn_message_id': f'r-{number}'}
        if group and number % 5 == 0:
            return {**head, 'event': 'session-end', 'group_state': {'timestamp': '2016-03-02T09:15:01Z', 'last_focus_session_id': 'f',
                                                                    'participants': [{'address': head['from']}]}}
        if number % 11 == 1:
            return {**head, 'event': 'file-transfer', 'participants': [self.account.address],
                    'contents': [{'type': 'image/png', 'text': 'x' * (LARGE if number % 4 == 1 else 100)}]}
        return {**head, 'event': 'chat', 'text': f'event {number}'}

    def act(self, server, done):
        operator = Operator(server)
        while True:
            self.record(operator)
            done()

    def record(self, operator):
        if self.in_flight is None:
            again = self.acknowledged and self.random.random() < 0.2
            self.in_flight = self.random.choice(sorted(self.acknowledged)) if again else self.counter
            self.counter += not again
        number = self.in_flight
        status, answer = operator.record(self.account.address, self.event(number))
        assert status in (200, 201), answer
        place = answer['folder'], answer['uid'], answer['emailid']
        known = self.acknowledged.get(number)
        assert known in (None, place), f'event {number} is at {place}, and was at {known}'
        assert known is None or status == 200, f'event {number} was recorded anew, and was at {known}'
        self.acknowledged[number], self.in_flight = place, None

    def verify(self, client):
        there = {}
        folders = list_folders(client, 'Default')
        for folder in folders:
            text = b''.join(client.ok(f'EXAMINE {folder}').untagged)
            if not int(re.search(rb'(\d+) EXISTS', text).group(1)):
                if not any(other.startswith(folder + '/') for other in folders):
                    return f'{folder} is empty: a folder is made with its first object'
                continue
            rows = wire.fetched(client.ok('FETCH 1:* (UID EMAILID BODY.PEEK[HEADER.FIELDS (IMDN-MESSAGE-ID)])'))
            for row in rows.values():
                number = int(re.search(rb'IMDN-Message-ID: r-(\d+)', row).group(1))
                if number in there:
                    return f'event {number} is there twice: {there[number]} and in {folder}'
                there[number] = (folder, int(re.search(rb'UID (\d+)', row).group(1)),
                                 re.search(rb'EMAILID \((\w+)\)', row).group(1).decode())
        for number, place in self.acknowledged.items():
            if there.get(number) != place:
                return f'event {number} was recorded as {place}, there is {there.get(number)}'
        extra = set(there) - set(self.acknowledged) - {self.in_flight}
        return f'events {sorted(extra)} were never sent' if extra else None


class Referrer(Actor):
    """Issues references to its one message and revokes some, as the operator, and fetches those that are for one time.
    What was issued stays as it was issued, what was revoked stays revoked, and nothing is given out a second time."""

    BROKEN = (http.client.HTTPException, OSError, wire.Closed)
    FOLDER = 'referred'
    MOST = 60               # good ones

    def __init__(self, account, seed, killing):
        super().__init__('referrer', account, seed, killing)
        self.good = {}              # id -> IMAP URL
        self.once = {}              # likewise, for one time
        self.over = {}              # likewise: revoked or used
        self.unsure = None          # the id of what is being revoked or fetched
        self.issuing = False

    def prepare(self, client):
        client.ok(f'CREATE {self.FOLDER}')
        assert client.append(self.FOLDER, b'Subject: referred\r\n\r\nreferred\r\n').status == 'OK'

    def act(self, server, done):
        operator = Operator(server)
        with wire.Client(server.host, server.port).login(self.account.user, self.account.password) as client:
            while True:
                self.step(operator, client)
                done()

    def target(self, more=''):
        return f'/v1/accounts/{self.account.address.replace("+", "%2B")}/references{more}'

    def step(self, operator, client):
        what = self.random.random()
        if what < 0.5 and len(self.good) + len(self.once) < self.MOST:
            once = self.random.random() < 0.5
            self.issuing = True
            status, answer = operator.ask(self.target(), json.dumps({'references': [
                {'folder': self.FOLDER, 'uid': 1, 'part': 'TEXT', 'audience': self.account.address, 'one_time': once}]}))
            assert status == 201, answer
            one, = answer['references']
            known = max([0, *self.good, *self.once, *self.over])
            assert one['id'] > known, f'reference {one["id"]} was given out after {known}'
            (self.once if once else self.good)[one['id']] = one['imap_url']
            self.issuing = False
        elif what < 0.8 and self.once:
            self.unsure = self.random.choice(sorted(self.once))
            assert not Sharer.fetches_nothing(client, self.once[self.unsure]), 'the one time was refused'
            self.over[self.unsure] = self.once.pop(self.unsure)
            self.unsure = None
        elif self.good:
            self.unsure = self.random.choice(sorted(self.good))
            status, _ = operator.ask(self.target(f'/{self.unsure}'), None, method='DELETE')
            assert status == 200, status
            self.over[self.unsure] = self.good.pop(self.unsure)
            self.unsure = None

    def verify(self, client):
        for number, url in list(self.good.items()):
            if Sharer.fetches_nothing(client, url):
                if number != self.unsure:
                    return f'referrer: reference {number} was issued, and is good for nothing'
                self.over[number] = self.good.pop(number)
        if self.unsure in self.once:        # an answer that nobody got may have used it up
            self.over[self.unsure] = self.once.pop(self.unsure)
            Sharer.fetches_nothing(client, self.over[self.unsure])
        for number, url in sorted(self.over.items())[-20:]:
            if not Sharer.fetches_nothing(client, url):
                return f'referrer: reference {number} is good, and was revoked or used'
        self.unsure = None
        return None

    def verify_list(self, server):
        """That those are listed which are known, and at most the one that was being issued beside them."""
        _, answer = Operator(server).ask(self.target('?limit=1000'), None, method='GET')
        known = {**{n: 'good' for n in (*self.good, *self.once)}, **{n: 'over' for n in self.over}}
        there = {one['id']: 'good' if one['standing'] == 'good' else 'over' for one in answer['references']}
        extra = {n: there.pop(n) for n in list(there) if n not in known}
        if len(extra) > (1 if self.issuing else 0):
            return f'referrer: references {extra} were never issued'
        for number in extra:
            Operator(server).ask(self.target(f'/{number}'), None, method='DELETE')
            self.over[number] = f'imap://nobody@nowhere/x/;uid=1;urlauth=anonymous:internal:{"0" * 32}'
        self.issuing = False
        # The list has a thousand at most; the oldest of them are long over.
        wrong = {n: there.get(n) for n, standing in known.items() if n in there and there[n] != standing}
        return f'referrer: {wrong} is listed, and {[known[n] for n in wrong]} was said' if wrong else None

class Limited(Actor):
    """An account of its own that may hold few messages: it fills it, is refused, and makes room. After a kill its use is what is there,
    and never above the limit."""

    LIMIT = 8

    def __init__(self, account, seed, killing):
        super().__init__('limited', account, seed, killing)
        self.refused = 0

    def act(self, server, done):
        with wire.Client(server.host, server.port).login(self.account.user, self.account.password) as client:
            client.ok('SELECT INBOX')
            while True:
                self.step(client)
                done()

    def step(self, client):
        have = self.use(client)[0]
        if have > self.LIMIT // 2 and self.random.random() < 0.2:
            client.ok('UID STORE 1:* +FLAGS.SILENT (\\Deleted)')
            client.ok('EXPUNGE')
            return
        count = self.random.randrange(1, 4)
        answer = client.append('INBOX', b'Subject: limited\r\n\r\n' + b'x' * self.random.randrange(5000)) if count == 1 else \
            client.command(f'COPY 1:{count} INBOX')
        if have + count > self.LIMIT and not (count > 1 and have < count):
            assert answer.status == 'NO' and answer.code('OVERQUOTA') is not None, f'{have} and {count} more: {answer.tagged!r}'
            self.refused += 1
        else:
            assert answer.status == 'OK' or have < count, f'{have} and {count} more: {answer.tagged!r}'

    def use(self, client):
        """Messages and their limit."""
        text = b''.join(client.ok('GETQUOTAROOT INBOX').untagged)
        return [int(number) for number in re.search(rb'MESSAGE (\d+) (\d+)', text).groups()]

    def verify(self, client):
        have, limit = self.use(client)
        text = b''.join(client.ok('STATUS INBOX (MESSAGES SIZE)').untagged)
        there = int(re.search(rb'MESSAGES (\d+)', text).group(1))
        if limit != self.LIMIT or have > limit or have != there:
            return f'{self.name}: use {have} of {limit}, {there} messages'
        return None


class Device(Actor):
    """Resynchronises by QRESYNC (RFC 7162) what it knows of its account's folders, while others work and after each
    kill: then it knows what a device knows that fetches everything."""

    def __init__(self, account, seed, killing):
        super().__init__('device', account, seed, killing)
        self.folders = {}       # name -> (UIDVALIDITY, mod-sequence, {uid: flags})
        self.returns = 0        # folders of which only the changes were told

    def connect(self, server):
        client = wire.Client(server.host, server.port, timeout=300).login(self.account.user, self.account.password)
        client.ok('ENABLE QRESYNC')
        return client

    def act(self, server, done):
        with self.connect(server) as client:
            while True:
                folders = list_folders(client, '')
                self.sync(client, self.random.choice(folders))

    def sync(self, client, name):
        """False: the folder is not there any more. What is known changes when all has been told, not before."""
        known = self.folders.get(name)
        returning = f' (QRESYNC ({known[0]} {known[1]}))' if known else ''
        answer = client.command(f'EXAMINE {name}{returning}')
        if answer.status != 'OK':
            self.folders.pop(name, None)
            return False
        text = b''.join(answer.untagged)
        uidvalidity = int(re.search(rb'UIDVALIDITY (\d+)', text).group(1))
        modseq = int(re.search(rb'HIGHESTMODSEQ (\d+)', text).group(1))
        if known and known[0] == uidvalidity:
            flags = dict(known[2])
            self.returns += 1
            self.take(answer, flags)
        else:
            flags = fetch_flags(client)
            if flags is None:
                return False
        self.folders[name] = (uidvalidity, modseq, flags)
        return True

    @staticmethod
    def take(answer, flags):
        for gone in answer.all(rb'\* VANISHED (?:\(EARLIER\) )?([\d:,]+)\r\n'):
            for uid in uid_list(gone.group(1).decode()):
                flags.pop(uid, None)
        flags.update(flags_told(answer))

    def verify(self, server):
        with self.connect(server) as client:
            there = [name for name in list_folders(client, '') if name != Deferrer.FOLDER]   # where some expire meanwhile
            self.folders = {name: state for name, state in self.folders.items() if name in there}
            for name in there:
                if not self.sync(client, name):
                    return f'device: {name} cannot be selected'
                everything, known = fetch_flags(client), self.folders[name][2]
                if everything != known:
                    wrong = sorted(uid for uid in everything.keys() | known if everything.get(uid) != known.get(uid))
                    return (f'device: {name}: after its return it knows {[(u, known.get(u)) for u in wrong[:5]]}, there is '
                            f'{[(u, everything.get(u)) for u in wrong[:5]]}')
        return None


class Sharer(Actor):
    """Gives a friend rights on two folders and takes them away, authorises URLs and resets the keys. What the lists say is
    what was acknowledged, the friend finds just the folders that they give, and no URL lives that was revoked."""

    FOLDERS = ('given-1', 'given-2')

    def __init__(self, account, friend, seed, killing):
        super().__init__('sharer', account, seed, killing)
        self.friend = friend
        self.rights = {name: {''} for name in self.FOLDERS}     # what the list may say: one, or two if one is in flight
        self.urls = {name: [] for name in self.FOLDERS}         # good
        self.dead = {name: [] for name in self.FOLDERS}
        self.unsure = None                                      # the folder whose key is being reset

    def prepare(self, client):
        for name in self.FOLDERS:
            client.ok(f'CREATE {name}')
            assert client.append(name, b'Subject: given\r\n\r\ngiven\r\n').status == 'OK'

    def act(self, server, done):
        with wire.Client(server.host, server.port).login(self.account.user, self.account.password) as client:
            while True:
                self.step(client)
                done()

    def step(self, client):
        name = self.random.choice(self.FOLDERS)
        what = self.random.random()
        if what < 0.6:
            rights = self.random.choice(['', 'l', 'r', 'lr', 'lrs'])
            self.rights[name].add(rights)
            client.ok(f'SETACL {name} {self.friend.address} "{rights}"')
            self.rights[name] = {rights}
        elif what < 0.85:
            rump = (f'imap://{self.account.user.replace("@", "%40")}@{socket.gethostname()}/{name}/;uid=1/;section=text;'
                    f'urlauth=user+{self.account.user.replace("@", "%40")}')
            answer = client.ok(f'GENURLAUTH "{rump}" INTERNAL')
            url = answer.all(rb'\* GENURLAUTH "([^"]+)"\r\n')[0].group(1).decode()
            if url not in self.urls[name]:      # the same key makes the same URL
                self.urls[name].append(url)
        else:
            self.unsure = name
            client.ok(f'RESETKEY {name} INTERNAL')
            self.dead[name] += self.urls[name]
            self.urls[name], self.unsure = [], None

    def verify(self, client):
        there = {}
        for name in self.FOLDERS:
            words = client.ok(f'GETACL {name}').all(rb'\* ACL \S+ (.*)\r\n')[0].group(1).decode().replace('"', '').split(' ')
            there[name] = dict(zip(words[::2], words[1::2])).get(self.friend.address, '')
            if there[name] not in self.rights[name]:
                return f'sharer: {name} gives "{there[name]}", and was to give one of {self.rights[name]}'
            self.rights[name] = {there[name]}
            alive = [url for url in self.urls[name] if self.fetches(client, url)]
            if alive != self.urls[name] and not (self.unsure == name and not alive):
                return f'sharer: {name}: {len(alive)} of {len(self.urls[name])} URLs are good'
            if self.unsure == name and not alive:
                self.dead[name] += self.urls[name]
                self.urls[name] = []
            if any(self.fetches(client, url) for url in self.dead[name][-20:]):
                return f'sharer: {name}: a URL is good that was revoked'
        self.unsure = None
        return None

    @staticmethod
    def fetches_nothing(client, url):
        return bool(client.ok(f'URLFETCH "{url}"').all(rb'\* URLFETCH "[^"]*" NIL\r\n'))

    @classmethod
    def fetches(cls, client, url):
        return not cls.fetches_nothing(client, url)

    def verify_friend(self, client):
        """`client` is the friend's."""
        mine = f'Other Users/{self.account.address}'
        found = list_folders(client, mine)
        expected = [f'{mine}/{name}' for name in self.FOLDERS if 'l' in next(iter(self.rights[name]))]
        if sorted(found) != expected:
            return f'sharer: the friend finds {found}, and was given {expected}'
        for name in self.FOLDERS:
            may = 'r' in next(iter(self.rights[name]))
            if (client.command(f'STATUS "{mine}/{name}" (MESSAGES)').status == 'OK') != may:
                return f'sharer: the friend {"cannot" if may else "can"} read {name}'
        return None
