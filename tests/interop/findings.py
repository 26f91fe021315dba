"""What the scanners found, short of what a self-signed certificate causes.

    findings.py TESTSSL.JSON SSLYZE.TXT

Fails if anything is left that is worse than informational.
"""

import json
import sys

# Findings about trust, which nobody has in a certificate that signs itself.
SELF_SIGNED = {
    "cert_chain_of_trust",  # self signed
    "cert_trust",  # asked for by address
    "cert_revocation", "cert_crlDistributionPoints", "cert_ocspURL",  # no authority to ask
    "OCSP_stapling",  # nor an answer of it
    "DNS_CAArecord",  # an address has none
    "overall_grade", "grade_cap_reason_1",  # a grade for the above
    "certificate_path_validation",
}

left = []
known = []
with open(sys.argv[1], encoding="utf-8") as file:
    scan = json.load(file)
severities = {finding["severity"] for finding in scan}
# It has come to the end, and found something to look at.
assert "OK" in severities and any(it["id"] == "scanTime" for it in scan), severities
for finding in scan:
    if finding["severity"] not in ("OK", "INFO"):
        place = known if finding["id"] in SELF_SIGNED else left
        place.append(f"testssl.sh: {finding['severity']} {finding['id']}: {finding['finding']}")

with open(sys.argv[2], encoding="utf-8") as file:
    text = file.read()
assert "COMPLIANCE AGAINST TLS CONFIGURATION" in text
for line in text.split("COMPLIANCE AGAINST TLS CONFIGURATION")[1].splitlines():
    mark, _, finding = line.strip().partition(" ")
    if mark == "*":
        place = known if finding.split(":")[0] in SELF_SIGNED else left
        place.append(f"sslyze: {finding}")
for line in text.splitlines():
    if "VULNERABLE" in line and "Not vulnerable" not in line:
        left.append(f"sslyze: {line.strip()}")

print("because the certificate signs itself:", *known, sep="\n  ")
print("others:", *(left or ["none"]), sep="\n  ")
sys.exit(bool(left))
