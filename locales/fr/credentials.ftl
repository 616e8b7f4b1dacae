# Certificats et attestations : pages, vérification publique, courriels.

credentials-certificate = Certificat de réussite
credentials-attestation = Attestation de présence
credentials-page-title = Certificat ou attestation
credentials-back = Revenir à la formation
credentials-download = Télécharger le PDF
credentials-always = Vous pouvez le télécharger à nouveau à tout moment, depuis cette page.
credentials-being-made = Le PDF est en préparation. Il sera prêt dans quelques instants.
credentials-look-again = Actualiser
credentials-says = Ce que dit le document
credentials-share = Le faire vérifier
credentials-share-text = Toute personne à qui vous donnez ce lien ou ce code peut vérifier que le document est authentique. Votre adresse électronique n’y figure pas.
credentials-code = Code de vérification :

credentials-holder = Titulaire
credentials-holder-unknown = Nom non communiqué
credentials-title = Formation
credentials-date = Date
credentials-dates = Dates
credentials-time-zone = Fuseau horaire : { $zone }
credentials-duration = Durée
credentials-duration-attended = Durée suivie
credentials-duration-foreseen = Durée prévue
credentials-mode = Modalité
credentials-remote = À distance
credentials-in-person = En présence
credentials-place = Lieu
credentials-trainer = Animation
credentials-score = Résultat
credentials-issuer = Délivré par
credentials-signatory = Signataire
credentials-issued = Date de délivrance

credentials-state-issued = Ce document est authentique et valide.
credentials-state-issued-text = { $issuer } l’a délivré. Date de délivrance : { $issued }.
credentials-state-revoked = Ce document a été retiré : il n’est plus valide.

credentials-verify-title = Vérifier un document
credentials-verify-lead = Saisissez le code imprimé sur le certificat ou l’attestation, ou scannez son code QR.
credentials-verify-code = Code de vérification
credentials-verify-help = 26 lettres et chiffres. Les espaces et les majuscules n’ont pas d’importance.
credentials-verify-wrong = Ce n’est pas un code de vérification : il doit compter 26 lettres et chiffres. Vérifiez qu’aucun caractère ne manque.
credentials-verify-button = Vérifier
credentials-verify-another = Vérifier un autre document

credentials-unknown-title = Aucun document n’a ce code
credentials-unknown-text = Vérifiez que le code est recopié exactement. S’il l’est, ce document n’a pas été délivré ici.

credentials-compare = Comparer un fichier
credentials-compare-text = Vous avez reçu le PDF ? Comparez-le, à l’octet près, avec celui qui a été délivré. Le fichier n’est pas conservé.
credentials-compare-file = Fichier PDF
credentials-compare-button = Comparer
credentials-compared-same = C’est bien le fichier délivré, à l’octet près.
credentials-compared-different = Ce n’est pas le fichier délivré. Il a pu être modifié, ou simplement réenregistré par un logiciel : fiez-vous à ce que dit cette page.
credentials-compared-nothing = Aucun fichier n’a été choisi. Choisissez le PDF à comparer.
credentials-compared-too-large = Ce fichier est trop volumineux pour être un document délivré ici.
credentials-compared-broken = Le fichier n’est pas arrivé entier. Envoyez-le à nouveau.
credentials-hash = Empreinte du fichier (SHA-256)
credentials-hash-text = Cette empreinte identifie le fichier délivré. Tout outil qui calcule une somme SHA-256 permet de la comparer.
credentials-hash-none = Le PDF est en préparation : son empreinte apparaîtra ici.

credentials-mail-colon = {" :"}
credentials-mail-hello = Bonjour,
credentials-mail-hello-name = Bonjour { $name },
credentials-mail-certificate-subject = Votre certificat : { $title }
credentials-mail-certificate-done = Félicitations ! Vous avez terminé la formation « { $title } ».
credentials-mail-certificate-attached = Votre certificat est joint à ce message.
credentials-mail-attestation-subject = Votre attestation de présence : { $title }
credentials-mail-attestation-done = Merci d’avoir participé à « { $title } ».
credentials-mail-attestation-attached = Votre attestation de présence est jointe à ce message.
credentials-mail-verify = Toute personne peut vérifier ce document à cette adresse :
credentials-mail-again = Vous pourrez toujours le télécharger à nouveau : ouvrez la formation depuis votre plateforme.

problem-verify-limit-title = Trop de vérifications
problem-verify-limit-text = Beaucoup de vérifications viennent d’être demandées depuis votre réseau.
problem-verify-limit-next = Réessayez dans une minute.
