using System.Text;

namespace Graphene.Runtime;

/// <summary>Reads the fields that <see cref="FieldWriter"/> wrote. The bytes are not trusted.</summary>
/// <remarks>
/// Throws <see cref="InvalidDataException"/>, never anything else: no count is believed before the bytes that it promises are
/// there.
/// </remarks>
/// <param name="bytes">All fields.</param>
/// <param name="what">What messages call them, for example <c>plan</c>.</param>
internal abstract class FieldReader(byte[] bytes, string what)
{
    private const int MaxTextBytes = 1 << 20;
    private int _position;

    /// <summary>Objects to nothing if every byte was read.</summary>
    protected void RequireEnd()
    {
        if (_position != bytes.Length)
        {
            throw Bad($"{bytes.Length - _position} bytes follow the {what}");
        }
    }

    /// <summary>A number of elements that are there.</summary>
    protected int Count(int minElementBytes)
    {
        int count = Int32();
        return count >= 0 && count <= PlanVerifier.MaxEntries && (long)count * minElementBytes <= bytes.Length - _position
            ? count
            : throw Bad($"a list of {count} elements does not fit");
    }

    /// <summary>
    /// A list of objects that few starts read; others are read by loops, since the function is a type for
    /// each type of element.
    /// </summary>
    protected T[] List<T>(int minElementBytes, Func<T> read)
        where T : class
    {
        var list = new T[Count(minElementBytes)];
        for (int i = 0; i < list.Length; i++)
        {
            list[i] = read();
        }
        return list;
    }

    /// <summary>A list of texts.</summary>
    protected string[] Texts()
    {
        var list = new string[Count(4)];
        for (int i = 0; i < list.Length; i++)
        {
            list[i] = Text();
        }
        return list;
    }

    /// <summary>A text.</summary>
    protected string Text()
    {
        int length = Int32();
        if (length is < 0 or > MaxTextBytes)
        {
            throw Bad($"a text of {length} bytes does not fit");
        }
        return Encoding.UTF8.GetString(bytes, Take(length), length);
    }

    /// <summary>One of the numbers that an enumeration counts from zero.</summary>
    protected int Number(int last, string what)
    {
        int value = Int32();
        return value >= 0 && value <= last ? value : throw Bad($"there is no {what} {value}");
    }

    /// <summary>A truth value.</summary>
    protected bool Flag() => Int32() switch
    {
        0 => false,
        1 => true,
        int other => throw Bad($"{other} is neither 0 nor 1"),
    };

    /// <summary>A number of 8 bits.</summary>
    protected byte Byte() => bytes[Take(1)];

    /// <summary>A number of 32 bits.</summary>
    protected int Int32() => StoredNumber.Int32(bytes, Take(4));

    /// <summary>A number of 64 bits.</summary>
    protected long Int64() => StoredNumber.Int64(bytes, Take(8));

    /// <summary>What to throw.</summary>
    protected InvalidDataException Bad(string problem) => new($"the {what} is damaged at byte {_position}: {problem}");

    // Where the next bytes are, which are read then.
    private int Take(int length)
    {
        if (length > bytes.Length - _position)
        {
            throw Bad("it ends too early");
        }
        int taken = _position;
        _position += length;
        return taken;
    }
}
