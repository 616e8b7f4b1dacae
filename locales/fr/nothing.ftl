# Un lien qui n’ouvre rien, hors de tout cours.
nothing-title = Aucun contenu n’est encore choisi
nothing-text = Cette activité ne mène encore à aucune formation ni à aucun webinaire.
nothing-next = Prévenez la personne qui anime le cours : elle peut choisir ce que l’activité ouvre.
nothing-text-trainer = Cette activité fonctionne, mais rien n’indique ce qu’elle doit ouvrir, ni dans quel cours elle se trouve.
nothing-next-trainer = Modifiez l’activité dans votre plateforme et choisissez un contenu. Pour organiser des webinaires, ajoutez l’activité à un cours.
nothing-back = Revenir à la plateforme
