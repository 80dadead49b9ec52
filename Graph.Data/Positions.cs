namespace Graphene.Data;

/// <summary>Takes down the numbers of a position.</summary>
public sealed class PositionWriter
{
    private readonly List<long> _numbers = [];

    internal long[] Numbers => [.. _numbers];

    /// <summary>Adds a number.</summary>
    public void Add(long number) => _numbers.Add(number);

    internal void AddRange(IEnumerable<long> numbers) => _numbers.AddRange(numbers);
}

/// <summary>Gives back the numbers of a position, in their order.</summary>
public sealed class PositionReader
{
    private readonly long[] _numbers;
    private int _at;

    internal PositionReader(long[] numbers) => _numbers = numbers;

    /// <summary>The next number.</summary>
    /// <exception cref="GraphException">GR6401: there is none, or it is out of range.</exception>
    /// <param name="what">What the number is.</param>
    /// <param name="min">The least that it can be.</param>
    /// <param name="max">The most that it can be.</param>
    public long Next(string what, long min = long.MinValue, long max = long.MaxValue)
    {
        if (_at == _numbers.Length)
        {
            throw Error($"it ends before {what}");
        }
        long number = _numbers[_at++];
        return number >= min && number <= max ? number : throw Error($"{what} cannot be {number} here");
    }

    /// <summary>Takes a number that must be equal to one here.</summary>
    /// <exception cref="GraphException">GR6401: it is another.</exception>
    public void Expect(long number, string what)
    {
        long saved = Next(what);
        if (saved != number)
        {
            throw Error($"{what} was {saved} and is {number}");
        }
    }

    internal static GraphException Error(string problem) => new(
        DataDiagnostics.BadPosition, $"position in the data: {problem}",
        why: "a position can be restored only into a dataset made in the same way from the same data",
        fix: "make the dataset as it was when the position was saved, or begin at an epoch of your choice with Iterate");

    internal void ExpectEnd()
    {
        if (_at < _numbers.Length)
        {
            throw Error($"{_numbers.Length - _at} numbers are left over");
        }
    }
}
