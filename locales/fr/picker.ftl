# Le choix d’un contenu : recherche, aperçu, retour.
picker-search = Rechercher dans les contenus
picker-search-button = Rechercher
picker-search-clear = Tout afficher
picker-found = Contenus trouvés : { $count }
picker-found-none = Rien ne correspond. Essayez d’autres mots.
picker-no-courses-found = Aucun parcours ne correspond à votre recherche. Essayez d’autres mots, ou affichez tout.
picker-no-events-found = Aucun webinaire à venir ne correspond à votre recherche. Essayez d’autres mots, ou créez-en un.
picker-language-fr = Français
picker-language-en = Anglais
picker-preview = Aperçu
picker-preview-of = Aperçu : { $title }
picker-back = Revenir au choix du contenu
picker-leave = Revenir à la plateforme sans rien ajouter
