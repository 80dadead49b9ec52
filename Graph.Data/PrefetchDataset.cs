using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;

namespace Graphene.Data;

/// <summary>Elements that are read ahead on a thread of their own.</summary>
internal sealed class PrefetchDataset : Dataset
{
    private readonly Dataset _source;
    private readonly int _capacity;

    public PrefetchDataset(Dataset source, int capacity)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        _source = source;
        _capacity = capacity;
    }

    public override long? Count => _source.Count;

    public override DatasetIterator Iterate(long epoch = 0) => new Iterator(_source.Iterate(epoch), _capacity);

    /// <summary>
    /// The place of this iterator is behind the element that was taken last, whatever was read ahead: each element travels with
    /// the place behind it.
    /// </summary>
    private sealed class Iterator : DatasetIterator
    {
        private const long Tag = 8;
        private readonly DatasetIterator _source;
        private readonly int _capacity;
        private Reading? _reading;
        private long[] _place;

        public Iterator(DatasetIterator source, int capacity)
        {
            _source = source;
            _capacity = capacity;
            _place = PlaceOf(source);
        }

        protected internal override Literal[]? Next()
        {
            _reading ??= new Reading(_source, _capacity);
            Item item = _reading.Take();
            _place = item.Place;
            item.Error?.Throw();
            return item.Element;
        }

        protected internal override void Save(PositionWriter writer)
        {
            writer.Add(Tag);
            writer.AddRange(_place);
        }

        protected internal override void Restore(PositionReader reader)
        {
            reader.Expect(Tag, "the kind of dataset");
            Stop();
            _source.Restore(reader);
            _place = PlaceOf(_source);
        }

        protected override void Dispose(bool disposing)
        {
            Stop();
            _source.Dispose();
            base.Dispose(disposing);
        }

        private void Stop()
        {
            _reading?.Dispose();
            _reading = null;
        }
    }

    private static long[] PlaceOf(DatasetIterator iterator)
    {
        var writer = new PositionWriter();
        iterator.Save(writer);
        return writer.Numbers;
    }

    // Null for the element at the end of the pass, and after an error.
    private sealed record Item(Literal[]? Element, long[] Place, ExceptionDispatchInfo? Error);

    /// <summary>The thread that reads ahead, until the end of the pass or until it is disposed.</summary>
    private sealed class Reading : IDisposable
    {
        private readonly BlockingCollection<Item> _ready;
        private readonly CancellationTokenSource _stop = new();
        private readonly Thread _thread;
        private Item? _last;

        public Reading(DatasetIterator source, int capacity)
        {
            _ready = new BlockingCollection<Item>(capacity);
            _thread = new Thread(() => Run(source)) { IsBackground = true, Name = "graphene-data" };
            _thread.Start();
        }

        public Item Take() => _last ?? Remember(_ready.Take());

        public void Dispose()
        {
            _stop.Cancel();
            _thread.Join();
            _ready.Dispose();
            _stop.Dispose();
        }

        // The end and an error stay: whoever asks again gets them again.
        private Item Remember(Item item)
        {
            if (item.Element is null)
            {
                _last = item;
            }
            return item;
        }

        private void Run(DatasetIterator source)
        {
            try
            {
                while (true)
                {
                    Item item = Read(source);
                    _ready.Add(item, _stop.Token);
                    if (item.Element is null)
                    {
                        return;
                    }
                }
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                // Nobody takes what was read ahead.
            }
        }

        private static Item Read(DatasetIterator source)
        {
            long[] before = PlaceOf(source);
            try
            {
                Literal[]? element = source.MoveNext() ? source.Current : null;
                return new Item(element, PlaceOf(source), null);
            }
            catch (Exception e)
            {
                return new Item(null, before, ExceptionDispatchInfo.Capture(e)); // thrown where the element is asked for
            }
        }
    }
}
