# Webinaires : liste, inscription, présence, courriels.

events-title = Webinaires
events-page-title = Webinaire
events-back = Tous les webinaires
events-zone = (fuseau horaire : { $zone })
events-create = Créer un webinaire
events-upcoming = À venir
events-past = Passés
events-empty-learner = Les webinaires de votre cours apparaîtront ici dès qu’une formatrice ou un formateur en aura programmé un.
events-empty-trainer = Vos webinaires apparaîtront ici. Créez le premier : les personnes inscrites à ce cours pourront s’y inscrire en un clic.
events-needs = À faire
events-act-on = { $act } : { $title }
events-need-presence = { $count ->
    [one] Une présence reste à confirmer.
   *[other] { $count } présences restent à confirmer.
}
events-need-waiting = { $count ->
    [one] Une personne est sur liste d’attente.
   *[other] { $count } personnes sont sur liste d’attente.
}
events-need-soon = { $count ->
    [0] Commence bientôt, sans personne d’inscrit pour l’instant.
    [one] Commence bientôt, avec une personne inscrite.
   *[other] Commence bientôt, avec { $count } personnes inscrites.
}
events-need-act-presence = Confirmer les présences
events-need-act-open = Ouvrir
events-need-act-capacity = Ajouter des places
events-next-confirmed = Votre prochain webinaire : { $title }
events-next-open = Prochain webinaire ouvert : { $title }
events-next-act-open = Voir et rejoindre
events-next-act-sign-up = Voir et m’inscrire
events-tag-cancelled = Annulé
events-tag-confirmed = Inscription confirmée
events-tag-waiting = Sur liste d’attente
events-tag-full = Complet
events-numbers = { $confirmed ->
    [one] { $confirmed } personne inscrite
   *[other] { $confirmed } personnes inscrites
}
events-numbers-capacity = { $confirmed ->
    [one] { $confirmed } personne inscrite sur { $capacity }
   *[other] { $confirmed } personnes inscrites sur { $capacity }
}
events-numbers-waiting = { $waiting } en attente

events-is-cancelled = Ce webinaire est annulé.
events-is-over = Ce webinaire est terminé.
events-duration = Durée : { $duration }
events-capacity = { $capacity ->
    [one] Une seule place
   *[other] { $capacity } places
}
events-free = { $free ->
    [0] complet
    [one] une place libre
   *[other] { $free } places libres
}
events-about = Au programme
events-your-place = Votre inscription
events-you-none = Vous n’êtes pas encore inscrit·e.
events-you-full = Toutes les places sont prises. Vous pouvez vous inscrire sur la liste d’attente.
events-you-closed = Les inscriptions sont closes.
events-you-confirmed = Votre place est confirmée.
events-you-had-place = Vous étiez inscrit·e à ce webinaire.
events-you-present = Votre présence est confirmée.
events-you-wait = Vous êtes sur la liste d’attente, en position { $position }.
events-you-wait-next = Dès qu’une place se libère, elle revient à la première personne de la liste, et nous la prévenons.
events-sign-up = M’inscrire
events-sign-up-waiting = M’inscrire sur la liste d’attente
events-join = Rejoindre le webinaire
events-calendar = Ajouter à mon agenda (fichier .ics)
events-attestation = Télécharger mon attestation (PDF)
events-attestation-soon = Votre attestation est en préparation. Elle sera ici dans quelques instants.
events-no-address = Nous ne connaissons pas votre adresse électronique : aucun courriel (confirmation, rappel, changement) ne peut vous être envoyé. Votre inscription compte tout de même.
events-give-address = Indiquer mon adresse
events-mail-goes-to = Nos courriels vous sont envoyés à { $email }.
events-withdraw = Me désinscrire
events-withdraw-waiting = Quitter la liste d’attente
events-withdraw-text = Votre place sera aussitôt donnée à la première personne de la liste d’attente. Si vous changez d’avis, vous reprendrez rang à la fin.
events-withdraw-waiting-text = Vous perdrez votre rang sur la liste d’attente.
events-withdraw-confirm = Confirmer ma désinscription

events-run = Animer ce webinaire
events-join-label = Lien de connexion :
events-join-missing = Il n’y a pas encore de lien de connexion. Ajoutez-le en modifiant le webinaire : les personnes inscrites le recevront par courriel.
events-mark-presence = Confirmer les présences
events-edit = Modifier
events-cancel = Annuler le webinaire…
events-presence-later = Vous pourrez confirmer les présences à partir d’un quart d’heure avant le début.
events-participants = Participantes et participants
events-participants-empty = Les personnes inscrites apparaîtront ici. Elles s’inscrivent depuis leur cours.
events-column-name = Nom
events-column-state = Inscription
events-column-position = Rang en liste d’attente
events-column-presence = Présence
events-no-name = Nom non communiqué
events-state-confirmed = Confirmée
events-state-waiting = En attente
events-state-waiting-place = En attente, rang { $position }
events-state-withdrawn = Désinscription
events-presence-present = Présence
events-presence-absent = Absence
events-export = Exporter la liste (CSV)

events-form-title = Description du webinaire
events-form-new = Nouveau webinaire
events-form-edit = Modifier « { $title } »
events-form-back = Revenir
events-form-reopen = Rouvrir le formulaire à jour
events-form-errors = Rien n’est enregistré. Corrigez les champs signalés ci-dessous.
events-form-tells = { $people ->
    [one] Une personne est inscrite ou en attente : elle sera prévenue par courriel si la date, le lien ou le titre change.
   *[other] { $people } personnes sont inscrites ou en attente : elles seront prévenues par courriel si la date, le lien ou le titre change.
}
events-form-dates-fixed = Le webinaire commence ou a commencé : sa date et sa durée ne changent plus.
events-form-more-dates = Ce webinaire a plusieurs dates. Le formulaire modifie la première ; les autres restent inchangées.
events-form-create = Créer le webinaire
events-form-save = Enregistrer
events-form-cancel = Abandonner
events-field-title = Titre
events-field-description = Description (facultative)
events-field-starts = Date et heure de début
events-field-time-zone = Fuseau horaire
events-field-minutes = Durée, en minutes
events-field-capacity = Nombre de places (facultatif)
events-field-join-url = Lien de connexion (facultatif)
events-help-description = Ce que l’on y fera, pour qui, et ce qu’il faut préparer. 5 000 caractères au plus.
events-help-starts = À l’heure du fuseau choisi ci-dessous.
events-help-minutes = De 5 minutes à 12 heures (720 minutes).
events-help-capacity = Vide : sans limite. Au-delà, les personnes sont mises en liste d’attente.
events-help-join-url = Adresse de la classe virtuelle, commençant par https://. Seules les personnes inscrites la voient. Vous pourrez l’ajouter plus tard.
events-error-title-missing = Donnez un titre.
events-error-title-long = Le titre dépasse 200 caractères.
events-error-description-long = La description dépasse 5 000 caractères.
events-error-starts = Indiquez une date et une heure qui existent dans ce fuseau.
events-error-starts-past = Cette date est passée.
events-error-starts-far = Cette date est à plus de cinq ans : vérifiez l’année.
events-error-starts-begun = Le webinaire a commencé : sa date et sa durée ne changent plus.
events-error-minutes = La durée va de 5 à 720 minutes.
events-error-time-zone = Choisissez un fuseau de la liste.
events-error-capacity = Le nombre de places va de 1 à 100 000.
events-error-capacity-below = { $confirmed ->
    [one] Une personne a déjà une place : le nombre de places ne peut pas être inférieur.
   *[other] { $confirmed } personnes ont déjà une place : le nombre de places ne peut pas être inférieur.
}
events-error-join-url = Le lien doit être une adresse complète commençant par https://.

events-cancel-title = Annuler ce webinaire
events-cancel-people = { $confirmed ->
    [0] Personne n’est inscrit.
    [one] Une personne inscrite sera prévenue par courriel, et l’annulation portée dans son agenda.
   *[other] { $confirmed } personnes inscrites seront prévenues par courriel, et l’annulation portée dans leur agenda.
}
events-cancel-waiting = { $waiting ->
    [one] Une personne en liste d’attente sera prévenue aussi.
   *[other] { $waiting } personnes en liste d’attente seront prévenues aussi.
}
events-cancel-text = L’annulation est définitive. Le webinaire reste visible dans la liste, marqué comme annulé.
events-cancel-unreachable = { $unreachable ->
    [one] L’une d’elles n’a pas d’adresse électronique : prévenez-la vous-même.
   *[other] { $unreachable } d’entre elles n’ont pas d’adresse électronique : prévenez-les vous-même.
}
events-cancel-confirm = Annuler le webinaire
events-cancel-keep = Ne pas annuler

events-presence-title = Confirmer les présences
events-presence-text = Une attestation est émise et envoyée à chaque personne marquée présente, dès l’enregistrement. Elle ne peut plus être retirée ici.
events-presence-attested = Présence attestée
events-presence-save = Enregistrer
events-presence-all-text = { $count ->
    [one] Toutes et tous étaient là ? Une attestation sera émise.
   *[other] Toutes et tous étaient là ? { $count } attestations seront émises.
}
events-presence-all = Tout le monde était là
events-presence-empty = Personne n’a de place confirmée : il n’y a pas de présence à confirmer.
events-presence-early = Vous pourrez confirmer les présences à partir d’un quart d’heure avant le début.

events-done-created = Le webinaire est créé. Les personnes de ce cours peuvent s’y inscrire.
events-done-edited = Les changements sont enregistrés.
events-done-cancelled = Le webinaire est annulé.
events-done-signed-up = Vous êtes inscrit·e.
events-done-waiting = Vous êtes sur la liste d’attente.
events-done-withdrawn = Vous n’êtes plus inscrit·e.
events-done-presence = Les présences sont enregistrées.
events-refused-cancelled = Rien n’a changé : ce webinaire est annulé.
events-refused-over = Rien n’a changé : ce webinaire est terminé.
events-refused-stale = Rien n’est enregistré : quelqu’un a modifié ce webinaire pendant que vous remplissiez le formulaire. Votre saisie est ci-dessous ; copiez ce qui compte, puis rouvrez le formulaire à jour.
events-refused-early = Rien n’est enregistré : les présences se confirment à partir d’un quart d’heure avant le début.
events-refused-attested = Rien n’est enregistré : l’attestation de ces personnes est déjà émise, leur présence ne peut plus être retirée ici. Une administratrice ou un administrateur peut révoquer l’attestation.
events-refused-attested-event = Des attestations de présence sont déjà émises : ce webinaire ne peut plus être annulé.
events-refused-withdraw-attested = Votre présence est attestée : vous ne pouvez plus vous désinscrire.

problem-events-no-context-title = Webinaires d’un cours
problem-events-no-context-text = Votre plateforme n’a pas dit de quel cours vous venez : les webinaires appartiennent à un cours.
problem-events-no-context-next = Ouvrez l’activité depuis la page d’un cours.
problem-events-learners-only-title = Réservé aux personnes en formation
problem-events-learners-only-text = Vous animez ce cours : on ne s’inscrit pas à un webinaire que l’on anime.
problem-events-learners-only-next = Revenez en arrière pour gérer le webinaire.
problem-events-presence-unreadable-title = Formulaire illisible
problem-events-presence-unreadable-text = Le formulaire des présences n’est pas celui de ce webinaire. Rien n’est enregistré.
problem-events-presence-unreadable-next = Rouvrez la page des présences et recommencez.

events-mail-hello = Bonjour,
events-mail-hello-name = Bonjour { $name },
events-mail-when = { $from } – { $until } (fuseau horaire : { $zone })
events-mail-colon = { " :" }
events-mail-join = Rejoindre le webinaire
events-mail-where-context = Pour suivre ou retirer votre inscription, ouvrez le webinaire depuis votre cours « { $context } ».
events-mail-where = Pour suivre ou retirer votre inscription, ouvrez le webinaire depuis votre cours.
events-mail-invited = L’invitation jointe place le webinaire dans votre agenda.
events-mail-updated = L’invitation jointe met votre agenda à jour.
events-mail-removed = Le fichier joint retire le webinaire de votre agenda.
events-mail-confirmation-subject = Inscription confirmée : { $title }
events-mail-confirmation-text = Votre place est confirmée pour ce webinaire.
events-mail-waiting-subject = Liste d’attente : { $title }
events-mail-waiting-text = Ce webinaire est complet : vous êtes sur la liste d’attente. Si une place se libère pour vous, elle vous revient aussitôt, et un courriel vous le dit.
events-mail-waiting-position = Votre rang actuel : { $position }.
events-mail-promotion-subject = Une place pour vous : { $title }
events-mail-promotion-text = Une place s’est libérée : elle est à vous. Votre inscription est confirmée. Si vous ne pouvez plus venir, désinscrivez-vous, pour la personne suivante.
events-mail-change-subject = Changement : { $title }
events-mail-change-text = Un webinaire auquel vous êtes inscrit·e, ou en attente, a changé.
events-mail-change-title = Il s’appelait « { $was } ».
events-mail-change-time = Il était prévu :
events-mail-change-place = Le lien de connexion a changé.
events-mail-change-now = Voici ce qui vaut désormais :
events-mail-cancellation-subject = Annulé : { $title }
events-mail-cancellation-text = Ce webinaire est annulé. Vous n’avez rien à faire.
events-mail-withdrawal-subject = Désinscription : { $title }
events-mail-withdrawal-text = Votre désinscription est enregistrée.
events-mail-reminder-subject = Rappel : { $title }
events-mail-reminder-text = Votre webinaire a lieu bientôt.
