namespace Graphene.Runtime;

/// <summary>The distinct dims of a plan's steps, which are computed once for each combination of shapes.</summary>
/// <param name="binder">Knows the symbols.</param>
internal sealed class NumberTable(SignatureBinder binder)
{
    private readonly Dictionary<Dim, int> _places = [];
    private readonly List<DimProgram> _programs = [];

    /// <summary>The place of a dim's value.</summary>
    public int Add(Dim dim)
    {
        if (!_places.TryGetValue(dim, out int place))
        {
            place = _programs.Count;
            _places.Add(dim, place);
            _programs.Add(binder.Compile(dim));
        }
        return place;
    }

    /// <summary>The values.</summary>
    /// <exception cref="GraphException">GR6201: the symbols' values make one leave 64 bits.</exception>
    public long[] Evaluate(long[] symbols)
    {
        long[] values = new long[_programs.Count];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = SignatureBinder.Evaluate(_programs[i], symbols);
        }
        return values;
    }
}
