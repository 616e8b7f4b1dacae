# Mots communs à toutes les pages.
common-skip = Aller au contenu
common-back = Retour
common-cancel = Annuler
common-mail-footer = Ce message vous a été envoyé par Passerelle, le service de formation relié à votre plateforme.

home-title = Passerelle, le service de formation derrière votre plateforme
home-text = Parcours en autonomie, webinaires et attestations : tout commence depuis votre plateforme de formation.
home-next = Ouvrez votre cours habituel, puis choisissez l’activité proposée par votre équipe de formation.
