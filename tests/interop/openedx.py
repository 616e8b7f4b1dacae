#!/usr/bin/env python3
"""Launches the service from Open edX's own LTI consumer, and takes its grade.

Open edX's library (PyPI: lti-consumer-xblock, AGPL, not part of this project) signs the launches, checks
our deep linking answer and our assertion, and issues the tokens; a small HTTP server around it is the
platform. Run it by hand:

    python3 -m venv /tmp/edx && /tmp/edx/bin/pip install lti-consumer-xblock
    cargo build && /tmp/edx/bin/python tests/interop/openedx.py target/debug/passerelle
"""
import html
import http.cookiejar
import http.server
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import django
from django.conf import settings

PLATFORM, SERVICE, CONTENT = 9471, 9472, 9473
ISSUER = f"http://127.0.0.1:{PLATFORM}"
TOOL = f"http://localhost:{SERVICE}"

settings.configure(
    CACHES={"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
    INSTALLED_APPS=[],
    PLATFORM_NAME="Open edX",
)
django.setup()

from cryptography.hazmat.primitives import serialization  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: E402
from lti_consumer.data import Lti1p3LaunchData  # noqa: E402
from lti_consumer.lti_1p3.consumer import LtiAdvantageConsumer  # noqa: E402

SCORES = []
ROSTER = [
    {"user_id": "edx-7", "roles": ["Learner"], "status": "Active", "name": "Zoé Lefèvre", "email": "zoe@example.org"},
    {"user_id": "edx-1", "roles": ["Instructor"], "status": "Active", "name": "Ada Martin"},
]


def consumer():
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    ).decode()
    edx = LtiAdvantageConsumer(
        iss=ISSUER,
        lti_oidc_url=f"{TOOL}/lti/login",
        lti_launch_url=f"{TOOL}/lti/launch",
        client_id="edx-client",
        deployment_id="1",
        rsa_key=pem,
        rsa_key_id="edx-key",
        redirect_uris=[f"{TOOL}/lti/launch"],
        tool_keyset_url=f"{TOOL}/.well-known/jwks.json",
    )
    edx.enable_ags(f"{ISSUER}/lineitems", f"{ISSUER}/lineitems/1", allow_programmatic_grade_interaction=True)
    edx.enable_nrps(f"{ISSUER}/memberships")
    edx.enable_deep_linking(f"{TOOL}/lti/launch", f"{ISSUER}/return")
    return edx


def platform(edx):
    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def answer(self, status, media_type, body):
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def bearer(self, scope):
            token = self.headers.get("Authorization", "").removeprefix("Bearer ")
            return edx.check_token(token, [scope])

        def do_GET(self):
            path = urllib.parse.urlsplit(self.path).path
            if path == "/jwks":
                return self.answer(200, "application/json", edx.get_public_keyset())
            if path == "/memberships":
                scope = "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly"
                if not self.bearer(scope):
                    return self.answer(403, "application/json", {})
                media_type = "application/vnd.ims.lti-nrps.v2.membershipcontainer+json"
                return self.answer(200, media_type, {"id": ISSUER, "context": {"id": "c"}, "members": ROSTER})
            return self.answer(404, "application/json", {})

        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            if self.path == "/token":
                fields = dict(urllib.parse.parse_qsl(body))
                return self.answer(200, "application/json", edx.access_token(fields))
            if self.path == "/lineitems/1/scores":
                if not self.bearer("https://purl.imsglobal.org/spec/lti-ags/scope/score"):
                    return self.answer(403, "application/json", {})
                SCORES.append(json.loads(body))
                return self.answer(201, "application/vnd.ims.lis.v1.score+json", {})
            return self.answer(404, "application/json", {})

    server = http.server.ThreadingHTTPServer(("127.0.0.1", PLATFORM), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()


class Browser:
    """Cookies, and redirects that are looked at before they are followed."""

    def __init__(self):
        class Stay(urllib.request.HTTPRedirectHandler):
            def redirect_request(self, *_):
                return None

        # The cookie is `Secure`, and loopback counts as secure for browsers.
        policy = http.cookiejar.DefaultCookiePolicy(secure_protocols=("http", "https"))
        jar = http.cookiejar.CookieJar(policy)
        self.opener = urllib.request.build_opener(Stay, urllib.request.HTTPCookieProcessor(jar))

    def ask(self, url, fields=None, headers=()):
        data = None if fields is None else urllib.parse.urlencode(fields).encode()
        request = urllib.request.Request(url, data, dict(headers))
        try:
            answer = self.opener.open(request)
        except urllib.error.HTTPError as error:
            answer = error
        return answer.status, answer.headers, answer.read().decode()

    def launch(self, edx, data):
        url = edx.prepare_preflight_url(data)
        while True:
            status, headers, body = self.ask(url)
            assert status in (302, 303, 307), (status, body)
            url = urllib.parse.urljoin(url, headers["Location"])
            if url.startswith(ISSUER):
                break
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query))
        form = edx.generate_launch_request(query)
        return self.ask(f"{TOOL}/lti/launch", form, {"Origin": ISSUER, "Sec-Fetch-Site": "cross-site"}.items())


def token_of(page):
    return html.unescape(re.search(r'name="form_token" value="([^"]+)"', page).group(1))


def own(url):
    return {"Origin": url, "Sec-Fetch-Site": "same-origin", "Accept": "text/html"}.items()


def main(binary):
    binary = str(pathlib.Path(binary).resolve())
    folder = tempfile.mkdtemp()
    environment = dict(
        os.environ,
        PASSERELLE_DATABASE_URL=f"sqlite:{folder}/db.sqlite",
        PASSERELLE_BLOBS=f"{folder}/blobs",
        PASSERELLE_BIND=f"127.0.0.1:{SERVICE}",
        PASSERELLE_CONTENT_BIND=f"127.0.0.1:{CONTENT}",
        PASSERELLE_PUBLIC_URL=TOOL,
        PASSERELLE_CONTENT_URL=f"http://{{label}}.localhost:{CONTENT}",
        PASSERELLE_INSECURE_ALLOW_PRIVATE_NETWORKS="true",
        PASSERELLE_METRICS_BIND="",
    )

    def run(*arguments):
        return subprocess.run([binary, *arguments], env=environment, check=True, capture_output=True, text=True).stdout

    run("tenant", "add", "edx", "--name", "Open edX", "--sender", "formation@example.org",
        "--signatory", "A. Martin", "--signatory-title", "Direction")
    added = run("platform", "add", "Open edX", "--issuer", ISSUER, "--client-id", "edx-client",
                "--authorization-endpoint", f"{ISSUER}/auth", "--token-endpoint", f"{ISSUER}/token",
                "--jwks-uri", f"{ISSUER}/jwks", "--deployment", "1")
    run("course", "shipped")
    edx = consumer()
    keyset = re.search(r"Public keyset URL\s+(\S+)", added)
    if keyset:
        edx.tool_jwt.keyset_url = keyset.group(1)
    platform(edx)
    service = subprocess.Popen([binary, "serve"], env=environment, stderr=subprocess.PIPE)
    try:
        for _ in range(100):
            try:
                urllib.request.urlopen(f"{TOOL}/health/ready")
                break
            except OSError:
                time.sleep(0.1)

        # A trainer chooses a course.
        edx.set_user_data("edx-1", "staff", full_name="Ada Martin")
        edx.set_context_claim("c", context_title="Formation")
        trainer = Browser()
        choice = Lti1p3LaunchData(user_id="edx-1", user_role="staff", config_id="1", resource_link_id="r",
                                  message_type="LtiDeepLinkingRequest")
        status, headers, body = trainer.launch(edx, choice)
        assert status == 303, (status, body)
        picker = TOOL + headers["Location"]
        status, _, page = trainer.ask(picker)
        assert status == 200, page
        item = re.search(r'name="item"[^>]*value="(course/[^"]+)"', page) or re.search(r'value="(course/[^"]+)"', page)
        fields = {"form_token": token_of(page), "item": item.group(1)}
        status, _, page = trainer.ask(picker, fields, own(TOOL))
        assert status == 200, page
        jwt = html.unescape(re.search(r'name="JWT" value="([^"]+)"', page).group(1))
        items = edx.check_and_decode_deep_linking_token(jwt)
        print("deep linking:", json.dumps(items, ensure_ascii=False)[:200])

        # A learner opens it, plays it to the end, and the grade arrives.
        edx.set_dl_content_launch_parameters(url=items[0]["url"], custom=items[0]["custom"])
        edx.set_user_data("edx-7", "student", full_name="Zoé Lefèvre", email_address="zoe@example.org")
        edx.set_resource_link_claim("r1", title=items[0]["title"])
        learner = Browser()
        data = Lti1p3LaunchData(user_id="edx-7", user_role="student", config_id="1", resource_link_id="r1")
        status, headers, body = learner.launch(edx, data)
        assert status == 303, (status, body)
        course = TOOL + headers["Location"]
        status, _, page = learner.ask(course)
        assert status == 200, page
        token = html.unescape(re.search(r'data-token="([^"]+)"', page).group(1))
        status, _, body = learner.ask(course + "/open", {"form_token": token}, own(TOOL))
        assert status == 200, body
        admission = json.loads(body)

        def content(path, **fields):
            url = admission["origin"] + path
            host = urllib.parse.urlsplit(url).netloc
            request = urllib.request.Request(
                f"http://127.0.0.1:{CONTENT}{path}",
                json.dumps({"token": admission["token"], **fields}).encode(),
                {"Host": host, "Sec-Fetch-Site": "same-origin"},
            )
            return json.load(urllib.request.urlopen(request))

        opened, seq = content("/runtime/open"), 0
        for line in opened["view"]["toc"]:
            if not line["leaf"]:
                continue
            content("/runtime/navigate", request="choice", target=line["id"])
            seq += 1
            delta = [["cmi.completion_status", "completed"], ["cmi.success_status", "passed"], ["cmi.score.scaled", "0.9"]]
            content("/runtime/commit", activity=line["id"], seq=seq, delta=delta, final=True, session_seconds=1)
        for _ in range(150):
            if any(score.get("gradingProgress") == "FullyGraded" for score in SCORES):
                break
            time.sleep(0.1)
        graded = [score for score in SCORES if score.get("gradingProgress") == "FullyGraded"]
        assert graded and graded[-1]["userId"] == "edx-7", SCORES
        print("score:", json.dumps(graded[-1]))
        print("Open edX's consumer and the service understand each other.")
    finally:
        service.terminate()


if __name__ == "__main__":
    main(sys.argv[1])
