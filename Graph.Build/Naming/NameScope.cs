namespace Graphene.Build.Naming;

/// <summary>The names that are taken in one place of the generated code.</summary>
internal sealed class NameScope
{
    private readonly HashSet<string> _taken;

    /// <summary>Creates a scope.</summary>
    /// <param name="taken">Names that nothing may get.</param>
    public NameScope(params string[] taken) => _taken = new HashSet<string>(taken, StringComparer.Ordinal);

    /// <summary>Takes a name, with a number behind it when it is taken already.</summary>
    public string Take(string name) => TakeAny(name);

    /// <summary>Takes the first name that is free; if none is, the last with a number behind it.</summary>
    public string TakeAny(params string[] names)
    {
        foreach (string name in names)
        {
            if (_taken.Add(name))
            {
                return name;
            }
        }
        string last = names[names.Length - 1];
        for (int number = 2; ; number++)
        {
            if (_taken.Add($"{last}_{number}"))
            {
                return $"{last}_{number}";
            }
        }
    }
}
