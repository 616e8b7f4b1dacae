# La console des équipes : connexion, cadre des pages, accueil.
console-nav = Console
console-nav-home = Accueil
console-nav-platforms = Plateformes
console-language = Langue de la console
console-signed-in-as = Votre compte :
console-sign-out = Se déconnecter

console-sign-in-title = Se connecter à la console
console-sign-in-text = La console est réservée aux personnes qui administrent le service ou coordonnent la formation.
console-sign-in-with = Se connecter avec { $name }
console-sign-in-by-mail = Ou recevoir un lien par courriel
console-sign-in-label = Adresse électronique
console-sign-in-help = L’adresse à laquelle votre accès a été ouvert. Nous y enverrons un lien de connexion.
console-sign-in-invalid = Cette adresse n’est pas complète. Il faut une partie avant et une partie après le signe @, par exemple prenom.nom@exemple.fr.
console-sign-in-button = Recevoir un lien
console-sign-in-sent = Si cette adresse a accès à la console, un lien de connexion vient d’y être envoyé.
console-sign-in-sent-next = Il fonctionne une seule fois, pendant un quart d’heure. S’il n’arrive pas d’ici quelques minutes, regardez dans les indésirables, ou demandez à l’administration du service si votre accès est ouvert.
console-sign-in-again = Utiliser une autre adresse

console-link-title = Connexion à la console
console-link-hello = Bonjour { $name }
console-link-text = Votre lien est valable. Il ne reste qu’à vous connecter.
console-link-invited = Un accès à la console de Passerelle vous est ouvert.
console-link-button = Se connecter
console-link-provider-title = Utiliser { $name }
console-link-provider-text = Pour vous connecter désormais avec { $name }, terminez l’invitation de cette façon : votre compte y sera lié à cet accès.
console-link-provider = Se connecter avec { $name } pour terminer l’invitation
console-link-not-me = Ce lien ne vous était pas destiné ? Fermez simplement cette page : rien ne changera.
console-link-gone-title = Ce lien ne fonctionne plus
console-link-gone-text = Il a déjà servi, ou il est trop ancien.
console-link-gone-again = Demander un nouveau lien

console-mail-subject = Votre lien de connexion à la console de Passerelle
console-mail-hello = Bonjour { $name },
console-mail-text = Voici le lien que vous avez demandé pour vous connecter à la console.
console-mail-act = Pour vous connecter à la console, ouvrez ce lien :
console-mail-button = Ouvrir la console
console-mail-copy = Si le bouton ne fonctionne pas, copiez cette adresse dans votre navigateur :
console-mail-limit = { $minutes ->
    [one] Le lien fonctionne une seule fois, pendant { $minutes } minute.
   *[other] Le lien fonctionne une seule fois, pendant { $minutes } minutes.
}
console-mail-not-me = Vous n’avez rien demandé ? Ignorez ce message et ne transmettez ce lien à personne.

console-home-title = Accueil de la console
console-home-hello = Bonjour { $name }
console-home-tenant = Vous coordonnez la formation de : { $tenant }
console-home-well = Tout va bien : rien n’attend votre intervention.
console-home-well-text = Les ouvertures, les notes et les courriels suivent leur cours. Belle journée !
console-home-needs = À faire aujourd’hui
console-home-refused = Ouvertures refusées depuis 24 heures
console-home-refused-caption = Ouvertures refusées depuis 24 heures, par plateforme et par motif
console-refused-platform = Plateforme
console-refused-code = Motif
console-refused-count = Nombre
console-refused-mend = Que faire
console-refused-unknown = Plateforme inconnue
console-need-open = Ouvrir « { $name } »
console-need-open-platforms = Ouvrir les plateformes

console-need-no-platform = Aucune plateforme n’est encore reliée à ce service.
console-mend-no-platform = Reliez votre plateforme de formation pour que les activités puissent s’ouvrir.
console-need-registration = La plateforme « { $name } » s’est inscrite et attend votre accord.
console-mend-registration = Vérifiez qu’il s’agit bien de la vôtre, puis acceptez-la ou refusez-la.
console-need-deployment = Un déploiement de « { $name } » attend d’être approuvé :
console-mend-deployment = Jusque-là, ses activités ne s’ouvrent pas. Approuvez-le s’il est attendu.
console-mend-ask-admin = Demandez à l’administration du service de l’examiner.
console-need-scores-refused = { $count ->
    [one] Une note a été refusée par « { $name } ».
   *[other] { $count } notes ont été refusées par « { $name } ».
}
console-mend-scores-refused = Vérifiez dans la plateforme que l’activité et sa colonne de notes existent encore et que l’outil a le droit d’y écrire.
console-need-scores-late = { $count ->
    [one] Une note attend depuis plus d’un jour d’être reçue par « { $name } ».
   *[other] { $count } notes attendent depuis plus d’un jour d’être reçues par « { $name } ».
}
console-mend-scores-late = L’envoi se répète de lui-même : vérifiez que la plateforme répond et que son service de jetons est joignable.
console-need-mails-failed = { $count ->
    [one] Un courriel n’a pas pu être remis ({ $name }).
   *[other] { $count } courriels n’ont pas pu être remis ({ $name }).
}
console-mend-mails-failed = Le plus souvent, l’adresse n’existe plus : la réponse du serveur est conservée avec le message. Pour essayer le serveur : passerelle mail test.
console-need-mails-unknown = { $count ->
    [one] Un courriel est peut-être arrivé, peut-être pas ({ $name }).
   *[other] { $count } courriels sont peut-être arrivés, peut-être pas ({ $name }).
}
console-mend-mails-unknown = Le serveur de courrier n’a pas confirmé la réception : son journal dit ce qu’il en est.
console-need-jobs = { $count ->
    [one] Une tâche a échoué définitivement ({ $name }).
   *[other] { $count } tâches ont échoué définitivement ({ $name }).
}
console-mend-jobs = La cause est inscrite avec la tâche. Pour un examen complet : passerelle doctor.
console-mend-launch-registration = Comparez l’émetteur et l’identifiant client de la plateforme avec ceux de l’inscription.
console-mend-launch-deployment = Approuvez le déploiement s’il est attendu.
console-mend-launch-browser = Les navigateurs bloquent un cookie : faites ouvrir l’activité dans une nouvelle fenêtre, et vérifiez que ce service est en https.
console-mend-launch-unavailable = Vérifiez que l’adresse des clés de la plateforme répond depuis ce serveur.
console-mend-launch-item = L’activité montre un contenu retiré : l’équipe du cours doit en choisir un autre.
console-mend-launch-internal = L’erreur est de notre côté : lancez passerelle doctor, puis lisez le journal du service.
console-mend-launch-again = Un lien a été rouvert après usage. Rien à faire, sauf si cela se répète souvent.
console-mend-launch-platform = La plateforme a interrompu l’ouverture : ses propres journaux disent pourquoi.
console-mend-launch-clock = Réglez l’horloge du serveur de la plateforme, ou celle de ce serveur.
console-mend-launch-message = La plateforme envoie un message incomplet ou mal signé : relisez ses réglages de l’outil.

problem-console-signed-out-title = Votre session est terminée
problem-console-signed-out-text = Vous n’êtes plus connecté·e à la console. Rien n’a été changé.
problem-console-signed-out-next = Connectez-vous de nouveau, puis refaites cette action.
problem-console-admins-only-title = Page réservée à l’administration
problem-console-admins-only-text = Cette page est réservée aux personnes qui administrent toute l’installation ; votre accès concerne la formation d’un seul organisme.
problem-console-admins-only-next = Si vous en avez besoin, adressez-vous à l’administration du service.
problem-console-provider-away-title = Connexion indisponible
problem-console-provider-away-text = Le service d’identification ne répond pas correctement.
problem-console-provider-away-next = Réessayez dans quelques minutes, ou demandez un lien de connexion par courriel.
problem-console-provider-refused-title = Connexion refusée
problem-console-provider-refused-text = Le service d’identification n’a pas confirmé votre identité, ou sa réponse n’a pas pu être vérifiée.
problem-console-provider-refused-next = Recommencez depuis la page de connexion, ou demandez un lien par courriel.
problem-console-sign-in-lost-title = Connexion à recommencer
problem-console-sign-in-lost-text = Cette connexion a commencé dans un autre navigateur, ou il y a trop longtemps.
problem-console-sign-in-lost-next = Recommencez depuis la page de connexion.
problem-console-unknown-title = Compte inconnu de la console
problem-console-unknown-text = Votre identité est confirmée, mais elle n’est liée à aucun accès à la console.
problem-console-unknown-next = La première fois, ouvrez dans ce navigateur le lien de votre invitation, et terminez-la avec ce compte. Sinon, demandez un lien par courriel.
problem-console-invitation-gone-title = Invitation périmée
problem-console-invitation-gone-text = Cette invitation a déjà servi, ou elle est trop ancienne.
problem-console-invitation-gone-next = Demandez une nouvelle invitation à l’administration du service.
problem-console-identity-taken-title = Compte déjà lié
problem-console-identity-taken-text = Ce compte est déjà lié à l’accès d’une autre personne. L’invitation n’a pas été utilisée.
problem-console-identity-taken-next = Connectez-vous avec votre propre compte, ou utilisez le bouton de connexion de l’invitation.
problem-console-often-title = Trop de demandes
problem-console-often-text = De nombreuses demandes de lien viennent d’être faites depuis votre réseau.
problem-console-often-next = Attendez une minute, puis réessayez.
