# Un cours copié : la même liste de personnes, ou une nouvelle.
copies-title = Quelle liste de personnes pour ce cours ?
copies-text = L’activité ouvre le webinaire « { $title } », qui vient d’un autre cours. Dites-nous une fois pour toutes à qui il s’adresse ici.
copies-known-courses = Il s’adresse pour l’instant à :
copies-known-people = { $confirmed ->
    [0] Personne n’y est inscrit.
    [one] Une personne y est inscrite.
   *[other] { $confirmed } personnes y sont inscrites.
}
copies-known-waiting = { $waiting ->
    [one] Une autre attend une place.
   *[other] { $waiting } autres attendent une place.
}
copies-known-over = Toutes ses dates sont passées : avec la même liste, il n’y aurait plus rien à suivre. Une nouvelle liste convient mieux.
copies-known-cancelled = Il est annulé : avec la même liste, personne ne pourrait plus s’inscrire. Une nouvelle liste convient mieux.
copies-course-unnamed = Un cours sans nom
copies-question = Pour ce cours
copies-nothing-chosen = Choisissez l’une des deux réponses.
copies-same = La même liste
copies-same-means = Les deux cours partagent les dates, les places et la liste d’attente. Les équipes de formation des deux cours voient toutes les personnes inscrites, modifient le webinaire et confirment les présences.
copies-new = Une nouvelle liste
copies-new-means = Un nouveau webinaire est créé pour ce cours, avec le même titre, la même description et le même nombre de places. Vous fixez ses dates à l’étape suivante. Personne n’y est encore inscrit, et l’autre cours n’en voit rien.
copies-keep-link = Pour une nouvelle liste : reprendre aussi le lien de connexion
copies-once = La réponse vaut pour toutes les activités de ce cours qui ouvrent ce webinaire. Elle ne se change pas ensuite.
copies-button = Continuer
copies-later = Répondre plus tard
copies-form-hint = Ce webinaire reprend celui de l’autre cours. Vérifiez sa date : elle n’est reprise que si elle est encore à venir. Rien n’est créé avant que vous n’enregistriez.
copies-done-shared = C’est noté : ce cours partage désormais la liste du webinaire.
copies-done-renewed = Le webinaire de ce cours est créé. C’est lui que l’activité ouvre désormais.
copies-done-before = La réponse avait déjà été donnée, peut-être par une collègue ou un collègue. Voici le webinaire de ce cours.
copies-shared-title = Liste partagée
copies-shared-text = Les personnes de ces cours s’inscrivent à une seule et même liste :
copies-wait-title = Encore un peu de patience
copies-wait-text = Votre formatrice ou votre formateur doit encore dire à quelle liste ce cours s’inscrit.
copies-wait-next = Vous n’avez rien à faire. Dès que ce sera décidé, vous pourrez vous inscrire ici même.
copies-wait-again = Regarder de nouveau
copies-wait-list = Les autres webinaires du cours
