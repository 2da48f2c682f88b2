"""What follows looks, counted: emergencies, reviews, disputes and seals. Whom they are about is not asked."""
