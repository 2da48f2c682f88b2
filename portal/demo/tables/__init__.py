"""The registries' own tables, each as its authority might have drawn them, and the rows they hold on a person."""
