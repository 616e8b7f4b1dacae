# Une même personne connue de deux plateformes : le code qui le prouve, et la réunion.
identities-title = Vos plateformes
identities-link = Je viens aussi d’une autre plateforme
identities-address = Votre adresse est peut-être déjà connue ailleurs.
identities-text = Ce service vous reconnaît à la plateforme par laquelle vous arrivez. Si vous en utilisez deux, vous y êtes d’abord deux personnes, chacune avec ses parcours et ses attestations.
identities-known = Vous êtes connu·e ici par
identities-known-name = { $name } : connu·e ici par
identities-here = vous êtes ici
identities-since = depuis le { $date }
identities-other = Je viens aussi d’une autre plateforme
identities-other-text = Pour réunir les deux, prouvez que les deux sont vous : demandez un code d’un côté, tapez-le de l’autre. Une adresse électronique ne suffit jamais.
identities-first = D’un côté : demander un code
identities-first-text = Vous le taperez sur cette même page, ouverte depuis votre autre plateforme.
identities-ask = Demander un code
identities-ask-again = Demander un nouveau code
identities-code = Votre code :
identities-code-next = Ouvrez une activité depuis votre autre plateforme, allez sur cette même page et tapez-y ce code. Il fonctionne une seule fois, pendant { $minutes } minutes. Ne le donnez à personne.
identities-second = De l’autre : taper le code
identities-label = Code reçu sur l’autre plateforme
identities-help = Huit lettres et chiffres ; majuscules, espaces et tirets n’ont pas d’importance.
identities-look = Vérifier le code
identities-typed-out = Trop d’essais dans cette visite. Revenez à votre cours, rouvrez l’activité, puis demandez un nouveau code sur l’autre plateforme.
identities-no-undo = Une réunion ne se défait pas : des notes et des attestations seront déjà parties.
identities-joined = Les deux ne font plus qu’une : vos parcours, attestations et inscriptions sont réunis, d’où que vous veniez.
identities-no-name = Sans nom
identities-courses = { $courses ->
    [0] Aucun parcours
    [one] Un parcours
   *[other] { $courses } parcours
}
identities-certificates = { $certificates ->
    [0] Aucun certificat ni attestation
    [one] Un certificat ou une attestation
   *[other] { $certificates } certificats et attestations
}
identities-signups = { $signups ->
    [0] Aucune inscription à un webinaire
    [one] Une inscription à un webinaire
   *[other] { $signups } inscriptions à des webinaires
}
identities-join-title = Réunir ces deux personnes ?
identities-join-text = Voici ce qui sera réuni. Vérifiez que les deux sont bien vous.
identities-join-here = Ici
identities-join-there = Sur l’autre plateforme
identities-join-courses = { $courses ->
    [one] Un parcours est suivi des deux côtés : le plus avancé est gardé.
   *[other] { $courses } parcours sont suivis des deux côtés : le plus avancé de chacun est gardé.
}
identities-join-signups = { $signups ->
    [one] Un webinaire est réservé deux fois : la meilleure place est gardée, l’autre est rendue.
   *[other] { $signups } webinaires sont réservés deux fois : la meilleure place est gardée, l’autre est rendue.
}
identities-join-grades = Vos certificats restent valables, mot pour mot. Chaque plateforme reçoit la note d’un parcours suivi par l’une ou l’autre.
identities-join-warning = Cela ne se défait pas. Si l’une des deux n’est pas vous, annulez.
identities-join-button = Oui, les deux sont moi : réunir
identities-problem-unknown = Ce code n’est pas le bon. Vérifiez chaque caractère, ou demandez-en un nouveau sur l’autre plateforme.
identities-problem-expired = Ce code ne fonctionne plus : il a déjà servi, a été remplacé, ou date de plus de quinze minutes. Demandez-en un nouveau sur l’autre plateforme.
identities-problem-tenant = Ce code vient d’un autre organisme de formation. Deux organismes ne partagent ni personnes ni attestations : rien ne peut être réuni.
identities-problem-own = Ce code a été demandé ici même. Tapez-le sur cette page, ouverte depuis votre autre plateforme.
identities-problem-often = Trop de codes ont été essayés. Réessayez plus tard, avec un nouveau code.
identities-player = Vos deux comptes ont été réunis, et ce parcours continue avec l’avancement de l’autre. Revenez à la page du parcours, rechargez-la, puis ouvrez-le de nouveau.
problem-player-joined-title = Comptes réunis
problem-player-joined-text = Vos deux comptes ont été réunis, et ce parcours continue avec l’avancement de l’autre.
problem-player-joined-next = Revenez à la page du parcours, rechargez-la, puis ouvrez-le de nouveau.
problem-identities-test-user-title = Compte de test
problem-identities-test-user-text = Vous êtes ici sous le compte de test de votre plateforme : il n’est la même personne que nul autre.
problem-identities-test-user-next = Ouvrez l’activité sous votre propre compte.
problem-identities-often-title = Trop de demandes
problem-identities-often-text = Beaucoup de codes ont déjà été demandés dans l’heure.
problem-identities-often-next = Réessayez dans une heure.
