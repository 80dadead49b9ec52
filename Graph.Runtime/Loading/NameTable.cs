namespace Graphene.Runtime;

/// <summary>Names, each once, numbered in the order in which they were added.</summary>
/// <remarks>
/// A dictionary that is no generic type: those take two dozen types each, which every process loads that loads code, and which take longer
/// than all that is looked up.
/// </remarks>
internal sealed class NameTable
{
    private string[] _names = new string[16];
    private int[] _next = new int[16]; // of those with the same bucket, the number before plus one
    private int[] _buckets = new int[16];

    /// <summary>How many there are.</summary>
    public int Count { get; private set; }

    /// <summary>A name.</summary>
    /// <param name="number">At least 0 and less than <see cref="Count"/>.</param>
    public string this[int number] => _names[number];

    /// <summary>The number of a name; -1 when it is not there.</summary>
    public int Find(string name)
    {
        int number = _buckets[Bucket(name)] - 1;
        while (number >= 0 && !string.Equals(_names[number], name))
        {
            number = _next[number] - 1;
        }
        return number;
    }

    /// <summary>Adds a name that is not there.</summary>
    /// <returns>Its number.</returns>
    public int Add(string name)
    {
        if (Count == _names.Length)
        {
            Grow();
        }
        _names[Count] = name;
        Link(Count);
        return Count++;
    }

    /// <summary>All names.</summary>
    public string[] ToArray()
    {
        var names = new string[Count];
        Array.Copy(_names, names, Count);
        return names;
    }

    private int Bucket(string name) => name.GetHashCode() & (_buckets.Length - 1);

    private void Link(int number)
    {
        int bucket = Bucket(_names[number]);
        _next[number] = _buckets[bucket];
        _buckets[bucket] = number + 1;
    }

    private void Grow()
    {
        var names = new string[2 * Count];
        Array.Copy(_names, names, Count);
        _names = names;
        _next = new int[names.Length];
        _buckets = new int[names.Length];
        for (int i = 0; i < Count; i++)
        {
            Link(i);
        }
    }
}
