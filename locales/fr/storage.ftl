# Les navigateurs qui refusent les cookies dans le cadre de la plateforme.
storage-title = Ouverture de l’activité
storage-text = Un instant : votre plateforme confirme l’ouverture…
storage-script = Pour ouvrir l’activité ici, activez JavaScript puis rouvrez-la depuis votre cours. Vous pouvez aussi l’ouvrir dans une nouvelle fenêtre.
storage-script-again = Pour ouvrir l’activité ici, activez JavaScript, puis rouvrez-la depuis votre cours.

refused-storage-lost-text = Votre plateforme n’a pas pu confirmer que l’activité s’ouvre bien dans le navigateur du départ.
refused-storage-lost-next = Revenez à votre cours et rouvrez l’activité. Si le refus se répète, ouvrez-la dans une nouvelle fenêtre ou autorisez les cookies pour ce site.

problem-launch-copied-title = Cette adresse ne s’ouvre que depuis votre plateforme
problem-launch-copied-text = L’adresse d’une activité ouverte sans cookies ne peut être ni copiée, ni partagée, ni mise en favori : elle vous est personnelle.
problem-launch-copied-next = Ouvrez l’activité depuis votre cours. Votre avancement est conservé.
