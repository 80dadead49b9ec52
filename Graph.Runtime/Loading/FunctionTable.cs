namespace Graphene.Runtime;

/// <summary>Where the functions of an image are that are visible from outside.</summary>
internal sealed class FunctionTable(int most)
{
    private readonly NameTable _names = new();
    private readonly long[] _offsets = new long[most];

    /// <summary>Their names.</summary>
    public string[] Names => _names.ToArray();

    /// <summary>The offset of a function in the image; -1 when there is none.</summary>
    public long this[string name] => _names.Find(name) is >= 0 and var number ? _offsets[number] : -1;

    /// <summary>Adds a function.</summary>
    public void Add(string name, long offset) => _offsets[_names.Add(name)] = offset;
}
