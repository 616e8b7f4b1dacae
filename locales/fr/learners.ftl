# La page des personnes qui suivent un parcours, et celle du travail d’une personne.
learners-link = Personnes inscrites, avancement et notes
learners-title = Personnes du cours
learners-back-course = Retour au parcours
learners-caption = Personnes du cours, avancement et notes
learners-empty = Personne à afficher.
learners-no-name = Nom non communiqué
learners-column-name = Nom
learners-column-role = Rôle
learners-column-status = État
learners-column-progress = Avancement
learners-column-points = Résultat
learners-column-grade = Note dans la plateforme
learners-column-gradebook = Carnet de notes
learners-column-why = Raison du refus
learners-role-trainer = formation
learners-role-learner = apprentissage
learners-role-left = n’est plus dans le cours
learners-status-none = Pas commencé
learners-status-begun = En cours
learners-status-completed = Terminé
learners-steps = { $done } sur { $total }
learners-grade-none = Aucune note à transmettre
learners-grade-delivered = Transmise
learners-grade-superseded = Remplacée par une note plus récente
learners-grade-pending = En attente
learners-grade-refused = Refusée
learners-grade-points = { $points } sur 100
learners-grade-since = depuis { $since }
learners-grade-next = prochain essai { $next }
learners-grade-detail = Réponse reçue : { $detail }
learners-send = Renvoyer
learners-send-all = { $count ->
    [one] Renvoyer la note non transmise
   *[other] Renvoyer les { $count } notes non transmises
}
learners-done-sent = { $count ->
    [one] La note repart vers la plateforme.
   *[other] { $count } notes repartent vers la plateforme.
}
learners-done-nothing = Il n’y avait rien à renvoyer.
learners-compare = Comparer avec le carnet de notes
learners-compare-failed = Le carnet de notes n’a pas pu être lu.
learners-differences = { $count ->
    [0] Le carnet de notes dit la même chose que nous.
    [one] Une note du carnet diffère de la nôtre.
   *[other] { $count } notes du carnet diffèrent des nôtres.
}
learners-gradebook-none = aucune note
learners-gradebook-differs = différent
learners-export = Télécharger le tableau (CSV)
learners-group = Groupe
learners-group-all = Tous les groupes
learners-group-show = Afficher
learners-left-title = Ne sont plus dans le cours
learners-left-text = Ces personnes ont travaillé ici ; la plateforme ne les compte plus dans le cours.
learners-left-caption = Personnes qui ont quitté le cours
learners-roster-without = Le tableau ne montre que les personnes déjà venues ici.
learners-roster-not-offered = La plateforme ne donne pas la liste des personnes du cours. La personne qui l’administre peut autoriser le service « noms et rôles ».
learners-roster-not-granted = La plateforme refuse de nous donner cette information. La personne qui l’administre peut l’autoriser dans les réglages de l’outil.
learners-roster-elsewhere = L’adresse donnée par la plateforme n’est pas sur ses propres serveurs ; nous ne l’appelons pas.
learners-roster-token = La plateforme n’a pas accepté notre identification. La personne qui l’administre peut vérifier la liaison.
learners-roster-slow = La plateforme met trop de temps à répondre. Réessayez dans quelques minutes.
learners-roster-unreachable = La plateforme n’est pas joignable. Réessayez dans quelques minutes.
learners-roster-gone = La plateforme ne trouve plus ce que nous lui demandons. Rouvrez l’activité depuis le cours, puis réessayez.
learners-roster-busy = La plateforme est surchargée ou en panne. Réessayez dans quelques minutes.
learners-roster-unreadable = La réponse de la plateforme n’est pas lisible. Signalez-le à la personne qui l’administre.
learners-column-refused = La plateforme ne nous laisse pas créer de colonne dans le carnet de notes. Activez la notation dans les réglages de l’activité, ou demandez à la personne qui administre la plateforme d’autoriser la gestion des colonnes.
learners-refused-not-gradable = La plateforme n’accepte pas de note pour cette personne : le plus souvent, elle n’a pas de rôle noté dans le cours.
learners-todo-not-gradable = Vérifiez son rôle et son inscription dans le cours, puis renvoyez la note.
learners-refused-forbidden = La plateforme ne nous autorise pas à écrire dans le carnet de notes.
learners-todo-forbidden = La personne qui l’administre peut l’autoriser dans les réglages de l’outil ; renvoyez ensuite la note.
learners-refused-gone = La colonne du carnet de notes n’existe plus.
learners-todo-gone = Quand l’activité sera de nouveau notée et rouverte par la personne, la note repartira.
learners-refused-no-column = L’activité n’a pas de colonne dans le carnet de notes.
learners-todo-no-column = Activez la notation dans les réglages de l’activité, puis renvoyez la note.
learners-refused-gave-up = La plateforme n’a pas répondu correctement pendant cinq jours.
learners-todo-gave-up = Quand elle fonctionne de nouveau, renvoyez la note.
learners-refused-broken = La plateforme n’a pas accepté cette note.
learners-todo-broken = Renvoyez-la ; si le refus persiste, transmettez la réponse reçue à la personne qui administre la plateforme.

learner-title = Travail d’une personne
learner-own = Votre travail
learner-back = Toutes les personnes du cours
learner-whole = En bref
learner-time = Temps passé
learner-started = Commencé le
learner-completed = Terminé le
learner-credential = Certificat
learner-credential-issued = Délivré le { $date }.
learner-credential-revoked = Révoqué.
learner-credential-verify = Page de vérification
learner-grades = Note dans { $platform }
learner-activities = Étape par étape
learner-answers = Réponses : { $activity }
learner-question = Question
learner-answer = Réponse
learner-verdict = Évaluation
learner-right = juste
learner-wrong = faux
learner-nothing = Le parcours n’a pas encore été ouvert.

events-missing-title = Personnes du cours qui ne sont pas inscrites
events-missing-count = { $count ->
    [one] Une personne du cours n’est pas inscrite.
   *[other] { $count } personnes du cours ne sont pas inscrites.
}
events-missing-none = Toutes les personnes du cours sont inscrites.
events-missing-action = Action
events-missing-sign-up = Inscrire
events-missing-unknown = N’est encore jamais venue ici : elle s’inscrira en ouvrant l’activité.
events-missing-done = L’inscription est faite ; la personne est prévenue par courriel.
events-missing-done-waiting = L’événement est complet : la personne est sur la liste d’attente, et prévenue par courriel.

problem-review-nobody-title = Aucun travail à montrer
problem-review-nobody-text = Cette personne n’a pas encore ouvert ce parcours.
problem-review-nobody-next = Revenez quand elle aura commencé.
