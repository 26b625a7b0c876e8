"""The main job played from beginning to end on sandbox accounts: `syncline demo`."""
