# L’arrivée depuis une plateforme : refus, nouvelle fenêtre, choix d’un contenu.
refused-title = L’activité n’a pas pu s’ouvrir
refused-details = Détails pour l’équipe technique
refused-code = Code
refused-detail = Précision

refused-registration-text = Votre plateforme n’est pas encore reliée à ce service, ou ne l’est plus.
refused-registration-next = Transmettez les détails ci-dessous à la personne qui administre votre plateforme : elle pourra vérifier l’inscription de l’outil.
refused-deployment-text = Votre plateforme est connue, mais cette installation de l’outil attend d’être approuvée.
refused-deployment-next = La demande est enregistrée. Dès qu’elle aura été approuvée, rouvrez l’activité depuis votre cours.
refused-browser-text = Cette page a été ouverte dans un autre navigateur que celui du départ, ou le navigateur a bloqué un cookie nécessaire.
refused-browser-next = Revenez à votre cours et rouvrez l’activité. Si le refus se répète, autorisez les cookies pour ce site ou essayez un autre navigateur.
refused-unavailable-text = Votre plateforme n’a pas répondu à temps lorsque nous avons vérifié sa signature.
refused-unavailable-next = Attendez une minute, puis rouvrez l’activité depuis votre cours.
refused-item-text = Le contenu choisi n’existe plus, ou n’est plus proposé.
refused-item-next = Prévenez la personne qui anime le cours : elle peut choisir un autre contenu dans les réglages de l’activité.
refused-internal-text = Une erreur de notre côté a empêché l’ouverture.
refused-internal-next = Rouvrez l’activité dans quelques minutes. Si l’erreur persiste, transmettez les détails ci-dessous à l’assistance.
refused-again-text = Ce lien d’ouverture a déjà servi ou n’est plus valable.
refused-again-next = Revenez à votre cours et rouvrez l’activité : un nouveau lien sera créé.
refused-platform-text = Votre plateforme a interrompu l’ouverture.
refused-platform-next = Reconnectez-vous à votre plateforme, puis rouvrez l’activité depuis votre cours.
refused-clock-text = Le message de votre plateforme est daté trop loin de l’heure réelle.
refused-clock-next = Rouvrez l’activité. Si le refus se répète, l’horloge du serveur de la plateforme est sans doute mal réglée : transmettez les détails à son équipe technique.
refused-message-text = Le message envoyé par votre plateforme est incomplet ou n’a pas pu être vérifié.
refused-message-next = Rouvrez l’activité depuis votre cours. Si le refus se répète, transmettez les détails ci-dessous à la personne qui administre votre plateforme.

refused-platform-login-required-text = Votre plateforme ne vous reconnaît plus : votre connexion a expiré.
refused-platform-login-required-next = Reconnectez-vous à votre plateforme, puis rouvrez l’activité depuis votre cours.
refused-platform-access-denied-text = Votre plateforme ne vous autorise pas à ouvrir cette activité.
refused-platform-access-denied-next = Vérifiez que vous participez bien au cours, puis prévenez la personne qui l’anime.
refused-platform-server-error-text = Votre plateforme a rencontré une erreur.
refused-platform-server-error-next = Attendez quelques minutes, puis rouvrez l’activité depuis votre cours.
refused-platform-unauthorized-client-text = Votre plateforme ne reconnaît pas ce service comme un outil autorisé.
refused-platform-unauthorized-client-next = Transmettez les détails ci-dessous à la personne qui administre votre plateforme : l’identifiant client y est sans doute désactivé ou mal copié.
refused-resource-link-missing-text = Votre plateforme n’a pas dit quelle activité ouvrir.
refused-resource-link-missing-next = Ouvrez l’activité depuis la page du cours plutôt que depuis un menu ou un favori.

new-window-title = Continuer dans une nouvelle fenêtre
new-window-text = Votre navigateur protège votre vie privée en bloquant les cookies dans ce cadre. Dans sa propre fenêtre, l’activité fonctionnera normalement.
new-window-button = Ouvrir l’activité
new-window-next = Gardez cet onglet ouvert : vous reviendrez ici à la fin.

picker-title = Choisir un contenu
picker-text-one = Choisissez le parcours ou le webinaire à ajouter à votre cours.
picker-text-many = Choisissez un ou plusieurs contenus à ajouter à votre cours.
picker-courses = Parcours en autonomie
picker-events = Webinaires et formations
picker-no-courses = Aucun parcours n’est encore publié. Ceux que votre organisme publiera apparaîtront ici.
picker-no-events = Aucun webinaire n’est prévu. Ceux que vous créerez apparaîtront ici.
picker-create-event = Créer un webinaire ici
picker-none-chosen = Choisissez au moins un contenu.
picker-button = Ajouter au cours
picker-refuses = Votre plateforme n’accepte aucun contenu que ce service puisse proposer. Ajoutez plutôt l’outil comme activité externe, ou parlez-en à la personne qui administre la plateforme.
picker-return-title = Retour à votre plateforme
picker-return-text = Votre choix est transmis à votre plateforme…
picker-return-button = Terminer
