# Certificates and attestations: pages, public verification, mails.

credentials-certificate = Certificate of completion
credentials-attestation = Certificate of attendance
credentials-page-title = Your certificate
credentials-back = Back to the training
credentials-download = Download the PDF
credentials-always = You can download it again at any time from this page.
credentials-being-made = The PDF is being made. It will be ready in a moment.
credentials-look-again = Refresh
credentials-says = What it says
credentials-share = Let others check it
credentials-share-text = Anyone you give this link or this code to can check that the document is genuine. Your e-mail address is not shown.
credentials-code = Verification code:

credentials-holder = Holder
credentials-holder-unknown = Name not communicated
credentials-title = Training
credentials-date = Date
credentials-dates = Dates
credentials-time-zone = Time zone: { $zone }
credentials-duration = Duration
credentials-duration-attended = Time attended
credentials-duration-foreseen = Time scheduled
credentials-mode = Format
credentials-remote = Online
credentials-in-person = In person
credentials-place = Place
credentials-trainer = Led by
credentials-score = Result
credentials-issuer = Issued by
credentials-signatory = Signed by
credentials-issued = Date of issue

credentials-state-issued = This document is genuine and valid.
credentials-state-issued-text = { $issuer } issued it. Date of issue: { $issued }.
credentials-state-revoked = This document was withdrawn: it is no longer valid.

credentials-verify-title = Verify a document
credentials-verify-lead = Type the code printed on the certificate, or scan its QR code.
credentials-verify-code = Verification code
credentials-verify-help = 26 letters and digits. Spaces and capitals do not matter.
credentials-verify-wrong = This is not a verification code: it must have 26 letters and digits. Check that no character is missing.
credentials-verify-button = Verify
credentials-verify-another = Verify another document

credentials-unknown-title = No document has this code
credentials-unknown-text = Check that the code is copied exactly. If it is, this document was not issued here.

credentials-compare = Compare a file
credentials-compare-text = Did you receive the PDF? Compare it, byte by byte, with the one that was issued. The file is not kept.
credentials-compare-file = PDF file
credentials-compare-button = Compare
credentials-compared-same = This is the issued file, byte for byte.
credentials-compared-different = This is not the issued file. It may have been altered, or merely saved again by a program: rely on what this page says.
credentials-compared-nothing = No file was chosen. Choose the PDF to compare.
credentials-compared-too-large = This file is too large to be a document issued here.
credentials-compared-broken = The file did not arrive whole. Send it again.
credentials-hash = Fingerprint of the file (SHA-256)
credentials-hash-text = This fingerprint identifies the issued file. Any tool that computes SHA-256 sums can compare it.
credentials-hash-none = The PDF is being made: its fingerprint will appear here.

credentials-mail-colon = :
credentials-mail-hello = Hello,
credentials-mail-hello-name = Hello { $name },
credentials-mail-certificate-subject = Your certificate: { $title }
credentials-mail-certificate-done = Congratulations! You have completed the course “{ $title }”.
credentials-mail-certificate-attached = Your certificate is attached to this message.
credentials-mail-attestation-subject = Your certificate of attendance: { $title }
credentials-mail-attestation-done = Thank you for taking part in “{ $title }”.
credentials-mail-attestation-attached = Your certificate of attendance is attached to this message.
credentials-mail-verify = Anyone can verify this document at this address:
credentials-mail-again = You can always download it again: open the training from your platform.

problem-verify-limit-title = Too many verifications
problem-verify-limit-text = Many verifications were requested from your network just now.
problem-verify-limit-next = Try again in a minute.
