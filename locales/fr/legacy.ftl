# LTI 1.1 : refus, et la fenêtre où un lancement se poursuit.
refused-legacy-off-text = Votre plateforme se connecte avec une ancienne version du protocole LTI (1.1), que votre organisme n’autorise pas ici.
refused-legacy-off-next = Transmettez les détails ci-dessous à la personne qui administre votre plateforme : l’outil doit y être relié en LTI 1.3, ou LTI 1.1 autorisé ici.
refused-legacy-pending-text = Votre plateforme est connue, mais son raccordement attend d’être approuvé.
refused-legacy-pending-next = Dès qu’il aura été approuvé, rouvrez l’activité depuis votre cours.
refused-legacy-closed-text = Le raccordement de votre plateforme à ce service a été fermé.
refused-legacy-closed-next = Prévenez la personne qui anime le cours : l’activité est sans doute à remplacer.
refused-legacy-consumer-key-unknown-text = Votre plateforme s’est présentée avec une clé que ce service ne connaît pas.
refused-legacy-consumer-key-unknown-next = Transmettez les détails ci-dessous à la personne qui administre votre plateforme : la clé de l’outil y a sans doute été mal copiée.
refused-legacy-signature-invalid-text = La signature de votre plateforme n’a pas pu être vérifiée.
refused-legacy-signature-invalid-next = Transmettez les détails ci-dessous à la personne qui administre votre plateforme : le secret de l’outil, ou son adresse de lancement, y a sans doute été mal copié.
refused-legacy-timestamp-outside-window-text = Ce lien d’ouverture est trop ancien, ou l’horloge de votre plateforme est loin de l’heure réelle.
refused-legacy-timestamp-outside-window-next = Revenez à votre cours et rouvrez l’activité. Si le refus se répète, transmettez les détails à l’équipe technique de la plateforme.
refused-legacy-signature-method-unsupported-text = Votre plateforme signe ses messages d’une manière que ce service n’accepte pas.
refused-legacy-signature-method-unsupported-next = Transmettez les détails ci-dessous à la personne qui administre votre plateforme : HMAC-SHA1 et HMAC-SHA256 sont acceptés.
refused-legacy-resource-link-missing-text = Votre plateforme n’a pas dit quelle activité ouvrir.
refused-legacy-resource-link-missing-next = Ouvrez l’activité depuis la page du cours plutôt que depuis un menu ou un favori.

legacy-continue-text = Votre navigateur, ou votre plateforme, ne permet pas à l’activité de s’afficher dans ce cadre. Dans sa propre fenêtre, elle fonctionnera normalement.
legacy-continue-next = Le bouton fonctionne pendant deux minutes et une seule fois ; passé ce délai, rouvrez l’activité depuis votre cours. Gardez cet onglet ouvert : vous reviendrez ici à la fin.

problem-ticket-spent-title = Cette ouverture a déjà servi
problem-ticket-spent-text = Le passage dans une nouvelle fenêtre fonctionne une seule fois, dans les deux minutes.
problem-ticket-spent-next = Revenez à votre cours et rouvrez l’activité. Votre avancement est conservé.
