namespace Graphene.Codegen;

/// <summary>The arrays that values lie in: some for the whole task, the others for a statement, to be used again by the next one.</summary>
internal sealed class SimtArrays
{
    private readonly List<int> _sizes = [];
    private readonly Dictionary<int, Stack<int>> _free = [];
    private readonly List<int> _lent = [];

    /// <summary>The sizes in bytes.</summary>
    public IReadOnlyList<int> Sizes => _sizes;

    /// <summary>An array that nothing else will use.</summary>
    public int Take(int size)
    {
        _sizes.Add(size);
        return _sizes.Count - 1;
    }

    /// <summary>An array to be used until the statement ends.</summary>
    public int Lend(int size)
    {
        int array = _free.TryGetValue(size, out Stack<int>? stack) && stack.TryPop(out int known) ? known : Take(size);
        _lent.Add(array);
        return array;
    }

    /// <summary>Makes a lent array one that nothing else will use.</summary>
    /// <returns>Whether it was lent.</returns>
    public bool Keep(int array) => _lent.Remove(array);

    /// <summary>
    /// From here on no array is used that was lent before: what comes is not only carried out behind
    /// it, but also meanwhile.
    /// </summary>
    public void Separate()
    {
        TakeBack();
        _free.Clear();
    }

    /// <summary>A statement ends.</summary>
    public void TakeBack()
    {
        foreach (int array in _lent)
        {
            if (!_free.TryGetValue(_sizes[array], out Stack<int>? stack))
            {
                _free.Add(_sizes[array], stack = new Stack<int>());
            }
            stack.Push(array);
        }
        _lent.Clear();
    }
}
