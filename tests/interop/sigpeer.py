# SPDX-License-Identifier: BSD-2-Clause
"""What sigstore for Python says of bundles: lines of JSON in and out as keylesspeer's, with {"why"} of its own. With
{"again": PATH} it writes the bundle there as it would itself."""

import json
import sys

from sigstore.hashes import Hashed
from sigstore.models import Bundle, TrustedRoot
from sigstore.verify import Verifier, policy
from sigstore_models.common.v1 import HashAlgorithm

verifiers = {}


def check(q):
    if q["roots"] not in verifiers:
        verifiers[q["roots"]] = Verifier(trusted_root=TrustedRoot.from_file(q["roots"]))
    verifier, who = verifiers[q["roots"]], policy.Identity(identity=q["subject"], issuer=q["issuer"])
    with open(q["bundle"]) as f:
        bundle = Bundle.from_json(f.read())
    if "again" in q:
        with open(q["again"], "w") as f:
            f.write(bundle.to_json())
    if bundle._inner.dsse_envelope is None:
        verifier.verify_artifact(Hashed(algorithm=HashAlgorithm.SHA2_256, digest=bytes.fromhex(q["sum"])), bundle, who)
        return
    _, payload = verifier.verify_dsse(bundle, who)
    if q["sum"] not in [s["digest"].get("sha256") for s in json.loads(payload)["subject"]]:
        raise ValueError("about something else")


for line in sys.stdin:
    try:
        check(json.loads(line))
        answer = {"ok": True}
    except Exception as e:  # whatever it raises, it does not take it
        answer = {"ok": False, "why": f"{type(e).__name__}: {e}"[:300]}
    print(json.dumps(answer), flush=True)
